/**
 * Seals of the simulated regions: held to the contract of the true ones and many times cheaper. A checksum over a
 * secret number, the place and the record stands for a signature; nobody in the simulated world tries numbers. Secrets
 * follow from the region and the number of its key, so equal runs write equal bytes.
 */
import { crc32 } from 'node:zlib';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { LogOpener, LogPlace, LogSealer, Opened, SealFault } from '@isthmus/replication/ports/log-seal';

export interface SimKey {
  readonly region: RegionId;
  readonly key: number;
}

export interface BelievedKey extends SimKey {
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

const mark = 0xa2;
const headBytes = 10;

export class SimSeals {
  readonly #believed: ReadonlyMap<RegionId, readonly BelievedKey[]>;

  constructor(believed: readonly BelievedKey[]) {
    const regions = new Set(believed.map(({ region }) => region));
    this.#believed = new Map([...regions].map((of) => [of, believed.filter(({ region }) => region === of)]));
  }

  sealer({ region, key }: SimKey): LogSealer {
    return {
      seal: (topic, records) =>
        records.map(({ partition, bytes }) => ({
          partition,
          bytes: sealed({ region, topic, partition }, key, bytes),
        })),
    };
  }

  opener(nowMs: () => number): LogOpener {
    return {
      open: (place, bytes) => this.#open(place, bytes, nowMs),
      prepare: async () => undefined,
      bodyOf: (bytes) => (bytes[0] === mark && bytes.length >= headBytes ? bytes.subarray(headBytes) : null),
    };
  }

  /** Of a record that anybody may hold; empty where it was refused. */
  bodyOf(place: LogPlace, bytes: Uint8Array): Uint8Array {
    const opened = this.#open(place, bytes, () => 0);
    return opened.kind === 'genuine' ? opened.body : new Uint8Array();
  }

  #open(place: LogPlace, bytes: Uint8Array, nowMs: () => number): Opened {
    if (bytes[0] !== mark) return refused('unsigned');
    if (bytes.length < headBytes) return refused('malformed');
    const key = bytes[1] ?? 0;
    const believed = this.#believed.get(place.region)?.find((each) => each.key === key);
    const body = bytes.subarray(headBytes);
    // Whose it is stands in a true seal as well.
    if (believed === undefined || numberAt(bytes, 2) !== secretOf(place.region, key))
      return refused('unknown-key');
    const { notBeforeMs = Number.NEGATIVE_INFINITY, notAfterMs = Number.POSITIVE_INFINITY } = believed;
    const now = nowMs();
    if (now < notBeforeMs || now >= notAfterMs) return refused('expired-key');
    if (numberAt(bytes, 6) !== checksum(place, key, body)) return refused('bad-signature');
    return { kind: 'genuine', body };
  }
}

function sealed(place: LogPlace, key: number, body: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + body.length);
  bytes[0] = mark;
  bytes[1] = key;
  bytes.writeUInt32BE(secretOf(place.region, key), 2);
  bytes.writeUInt32BE(checksum(place, key, body), 6);
  bytes.set(body, headBytes);
  return bytes;
}

/** Of 32 bits, big-endian; a view of its own would cost more than the four bytes. */
function numberAt(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

const topics = { changes: 0x9e3779b1, progress: 0x85ebca6b, control: 0xc2b2ae35 } as const;

function checksum({ region, topic, partition }: LogPlace, key: number, body: Uint8Array): number {
  const seed = secretOf(region, key) ^ topics[topic] ^ Math.imul(partition + 1, 0x27d4eb2f);
  return crc32(body, seed >>> 0);
}

/** By region, then by the number of the key. */
const secrets = new Map<RegionId, number[]>();

function secretOf(region: RegionId, key: number): number {
  const ofRegion = secrets.get(region) ?? [];
  const known = ofRegion[key];
  if (known !== undefined) return known;
  const secret = crc32(`${region} ${key}`);
  ofRegion[key] = secret;
  secrets.set(region, ofRegion);
  return secret;
}

function refused(fault: SealFault): Opened {
  return { kind: 'refused', fault };
}
