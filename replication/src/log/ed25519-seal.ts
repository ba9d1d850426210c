/**
 * Seals by Ed25519. Making one costs one signature for everything that is published together, and opening what was
 * published together one verification: a root that was found signed is remembered with its key and its signature, and
 * nothing but that. So is one that was found not signed by whoever it names, because whoever can write into a log can have
 * it looked at without end. Bounds keep what is remembered small, and forgetting costs time only.
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
import {
  countsAt,
  isSignedBy,
  isSignedByLater,
  type KeyRing,
  type PublicKey,
  type SigningKey,
} from './signing-keys.ts';

/** Of publishes that arrive one after the other, from a few regions, partition by partition where much waits. */
const maxRemembered = 4096;

/** What is known to be signed, or not to be, each with all that makes it what it is; the oldest is forgotten first. */
export class SignedRoots {
  readonly #names = new Set<string>();

  has(name: string): boolean {
    return this.#names.has(name);
  }

  add(name: string): void {
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > maxRemembered && oldest !== undefined) this.#names.delete(oldest);
  }
}

export class Ed25519Sealer implements LogSealer {
  readonly #region: RegionId;
  readonly #key: SigningKey;
  readonly #roots: SignedRoots;

  /** `roots` of the opener that will read it back: what was signed here need not be checked. */
  constructor(region: RegionId, key: SigningKey, roots = new SignedRoots()) {
    this.#region = region;
    this.#key = key;
    this.#roots = roots;
  }

  seal(topic: LogTopic, records: readonly OutgoingRecord[]): readonly OutgoingRecord[] {
    if (records.length === 0) return [];
    const { id: keyId, privateKey } = this.#key;
    const tree = treeOf(
      records.map(({ partition, bytes }) => leafOf({ region: this.#region, topic, partition }, bytes)),
    );
    const root = tree.at(-1)?.[0] ?? new Uint8Array();
    const text = signedText(keyId, root);
    const signature = sign(null, text, privateKey);
    this.#roots.add(nameOf(this.#region, text, signature));
    return records.map(({ partition, bytes: body }, index) => ({
      partition,
      bytes: writeSealed({ keyId, index, path: pathIn(tree, index), signature, body }),
    }));
  }
}

export class Ed25519Opener implements LogOpener {
  readonly #ring: KeyRing;
  readonly #nowMs: () => number;
  readonly #roots: SignedRoots;
  readonly #forged = new SignedRoots();

  constructor(ring: KeyRing, nowMs: () => number, roots = new SignedRoots()) {
    this.#ring = ring;
    this.#nowMs = nowMs;
    this.#roots = roots;
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

  /** What could not be found out here is found out by `open`. */
  async prepare(place: LogPlace, sealed: readonly Uint8Array[]): Promise<void> {
    await Promise.all(sealed.map((bytes) => this.#verify(place, bytes)));
  }

  bodyOf(sealed: Uint8Array): Uint8Array | null {
    return sealed[0] === sealMark ? (readSealed(sealed)?.body ?? null) : null;
  }

  async #verify(place: LogPlace, sealed: Uint8Array): Promise<void> {
    const record = sealed[0] === sealMark ? readSealed(sealed) : null;
    const key = record === null ? null : this.#ring.find(place.region, record.keyId);
    if (record === null || key === null) return;
    const claim = claimOf(key, record, rootOver(leafOf(place, record.body), record));
    if (this.#roots.has(claim.name) || this.#forged.has(claim.name)) return;
    const isSigned = await isSignedByLater(key, claim.text, record.signature);
    if (isSigned !== null) this.#known(claim.name, isSigned);
  }

  #isSigned(key: PublicKey, record: Seal, root: Uint8Array): boolean {
    const { text, name } = claimOf(key, record, root);
    if (this.#roots.has(name)) return true;
    if (this.#forged.has(name)) return false;
    return this.#known(name, isSignedBy(key, text, record.signature));
  }

  /** Apart, so that what is forged makes nothing be forgotten that is not. */
  #known(name: string, isSigned: boolean): boolean {
    (isSigned ? this.#roots : this.#forged).add(name);
    return isSigned;
  }
}

function claimOf({ id, region }: PublicKey, { signature }: Seal, root: Uint8Array) {
  const text = signedText(id, root);
  return { text, name: nameOf(region, text, signature) };
}

function nameOf(region: RegionId, text: Uint8Array, signature: Uint8Array): string {
  return region + Buffer.concat([text, signature]).toString('latin1');
}

function refused(fault: SealFault): Opened {
  return { kind: 'refused', fault };
}
