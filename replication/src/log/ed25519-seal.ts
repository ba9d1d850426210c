/**
 * Seals by Ed25519. Making one costs one signature for everything that is published together, and opening what was
 * published together one verification: a root that was found signed is remembered with its key and its signature, and
 * nothing but that. A bound keeps what is remembered small, and forgetting costs time only.
 */
import { sign } from 'node:crypto';
import type { OutgoingRecord } from '../ports/change-sink.ts';
import type { RegionId } from '../ports/identity.ts';
import type { LogOpener, LogPlace, LogSealer, LogTopic, Opened, SealFault } from '../ports/log-seal.ts';
import {
  leafOf,
  pathIn,
  readSealed,
  rootOver,
  sealMark,
  signedText,
  treeOf,
  type Seal,
  writeSealed,
} from './sealed-record.ts';
import { countsAt, isSignedBy, type KeyRing, type PublicKey, type SigningKey } from './signing-keys.ts';

export class Ed25519Sealer implements LogSealer {
  readonly #region: RegionId;
  readonly #key: SigningKey;

  constructor(region: RegionId, key: SigningKey) {
    this.#region = region;
    this.#key = key;
  }

  seal(topic: LogTopic, records: readonly OutgoingRecord[]): readonly OutgoingRecord[] {
    if (records.length === 0) return [];
    const { id: keyId, privateKey } = this.#key;
    const tree = treeOf(
      records.map(({ partition, bytes }) => leafOf({ region: this.#region, topic, partition }, bytes)),
    );
    const root = tree.at(-1)?.[0] ?? new Uint8Array();
    const signature = sign(null, signedText(keyId, root), privateKey);
    return records.map(({ partition, bytes: body }, index) => ({
      partition,
      bytes: writeSealed({ keyId, index, path: pathIn(tree, index), signature, body }),
    }));
  }
}

/** Of publishes that arrive one after the other, from a few regions. */
const maxRemembered = 256;

export class Ed25519Opener implements LogOpener {
  readonly #ring: KeyRing;
  readonly #nowMs: () => number;
  /** Signed roots, the oldest first. */
  readonly #remembered = new Set<string>();

  constructor(ring: KeyRing, nowMs: () => number) {
    this.#ring = ring;
    this.#nowMs = nowMs;
  }

  open(place: LogPlace, sealed: Uint8Array): Opened {
    if (sealed[0] !== sealMark) return refused('unsigned');
    const record = readSealed(sealed);
    if (record === null) return refused('malformed');
    const key = this.#ring.find(place.region, record.keyId);
    if (key === null) return refused('unknown-key');
    if (!countsAt(key, this.#nowMs())) return refused('expired-key');
    const root = rootOver(leafOf(place, record.body), record);
    return this.#isSigned(key, record, root)
      ? { kind: 'genuine', body: record.body }
      : refused('bad-signature');
  }

  #isSigned(key: PublicKey, { signature }: Seal, root: Uint8Array): boolean {
    const text = signedText(key.id, root);
    const name = key.region + Buffer.concat([text, signature]).toString('latin1');
    if (this.#remembered.has(name)) return true;
    if (!isSignedBy(key, text, signature)) return false;
    this.#remembered.add(name);
    const [oldest] = this.#remembered;
    if (this.#remembered.size > maxRemembered && oldest !== undefined) this.#remembered.delete(oldest);
    return true;
  }
}

function refused(fault: SealFault): Opened {
  return { kind: 'refused', fault };
}
