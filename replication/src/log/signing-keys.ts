/**
 * Keys of regions, read from their written form, and who may be believed when. A key names itself: its name is the
 * beginning of the SHA-256 of its public half, so none can be given a wrong one. A ring holds every key that anybody
 * is believed by, each for one region and one span of time by the reader's clock; several of a region may count at once,
 * which is how one is replaced without a pause. What is at fault is told without repeating the key.
 */
import { createHash, createPrivateKey, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { RegionId } from '../ports/identity.ts';
import { keyIdBytes } from './sealed-record.ts';

export interface SigningKey {
  readonly id: Uint8Array;
  readonly privateKey: KeyObject;
}

export interface PublicKey {
  readonly id: Uint8Array;
  readonly region: RegionId;
  readonly publicKey: KeyObject;
  /** Inclusive, by the clock of whoever reads; `null`: no bound. */
  readonly notBeforeMs: number | null;
  /** Exclusive. */
  readonly notAfterMs: number | null;
}

/** Longest written form that is looked at. */
const maxPemBytes = 4096;

/** An Ed25519 key in PKCS#8 PEM; `null`: it is none. */
export function readSigningKey(pem: string): SigningKey | null {
  const privateKey = pem.length > maxPemBytes ? null : parsed(() => createPrivateKey(pem));
  if (privateKey?.asymmetricKeyType !== 'ed25519') return null;
  return { id: keyIdOf(createPublicKey(privateKey)), privateKey };
}

/** An Ed25519 key in base64 of its SPKI form, or as PEM; `null`: it is none. */
export function readPublicKey(text: string): Pick<PublicKey, 'id' | 'publicKey'> | null {
  if (text.length > maxPemBytes || text.includes('PRIVATE')) return null;
  const publicKey = parsed(() =>
    text.startsWith('-----')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' }),
  );
  return publicKey?.asymmetricKeyType === 'ed25519' ? { id: keyIdOf(publicKey), publicKey } : null;
}

/** As people see it. */
export function showKeyId(id: Uint8Array): string {
  return Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
}

export function countsAt({ notBeforeMs, notAfterMs }: PublicKey, nowMs: number): boolean {
  return (notBeforeMs === null || nowMs >= notBeforeMs) && (notAfterMs === null || nowMs < notAfterMs);
}

export class KeyRing {
  readonly #keys: ReadonlyMap<string, PublicKey>;

  constructor(keys: readonly PublicKey[]) {
    this.#keys = new Map(keys.map((key) => [placeOf(key.region, key.id), key]));
  }

  find(region: RegionId, id: Uint8Array): PublicKey | null {
    return this.#keys.get(placeOf(region, id)) ?? null;
  }
}

export function isSignedBy({ publicKey }: PublicKey, text: Uint8Array, signature: Uint8Array): boolean {
  return verify(null, text, publicKey, signature);
}

/** The same, by another thread; `null`: it could not be found out there. */
export function isSignedByLater(
  { publicKey }: PublicKey,
  text: Uint8Array,
  signature: Uint8Array,
): Promise<boolean | null> {
  return new Promise((resolve) => {
    verify(null, text, publicKey, signature, (error, isSigned) => resolve(error === null ? isSigned : null));
  });
}

function placeOf(region: RegionId, id: Uint8Array): string {
  return `${showKeyId(id)} ${region}`;
}

function keyIdOf(publicKey: KeyObject): Uint8Array {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return createHash('sha256').update(spki).digest().subarray(0, keyIdBytes);
}

function parsed(read: () => KeyObject): KeyObject | null {
  try {
    return read();
  } catch {
    return null;
  }
}
