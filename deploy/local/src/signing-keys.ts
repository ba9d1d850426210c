/**
 * Keys that regions sign their logs with. Every region that this process starts has one of its own, made when it is first
 * asked for, and all of them believe each other; a folder that is kept keeps its key as well. A private key is written for
 * its owner's eyes alone, and never over another.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from './errors.ts';

export interface RegionKey {
  /** The beginning of the SHA-256 of its public half, as logs name it. */
  readonly id: string;
  /** PKCS#8 in PEM. */
  readonly privateKey: string;
  /** SPKI in base64. */
  readonly publicKey: string;
}

const idBytes = 8;
const ownerOnly = 0o600;

export function newKey(): RegionKey {
  return regionKey(generateKeyPairSync('ed25519').privateKey);
}

function regionKey(privateKey: KeyObject): RegionKey {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return {
    id: createHash('sha256')
      .update(spki)
      .digest('hex')
      .slice(0, 2 * idBytes),
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKey: spki.toString('base64'),
  };
}

/** Rejects with the code `EEXIST` where something is there. */
export function writeKey(path: string, { privateKey }: RegionKey): void {
  writeFileSync(path, privateKey, { mode: ownerOnly, flag: 'wx' });
}

const keys = new Map<string, RegionKey>();

function keyOf(region: string): RegionKey {
  const known = keys.get(region) ?? newKey();
  keys.set(region, known);
  return known;
}

/** From now on the region signs with the key in this file, which is made where it is absent. */
export function keepKey(region: string, path: string): void {
  try {
    keys.set(region, regionKey(createPrivateKey(readFileSync(path, 'utf8'))));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    mkdirSync(dirname(path), { recursive: true });
    writeKey(path, keyOf(region));
  }
}

/** What a region process is told: its own key, and whom it believes. */
export interface KeySettings {
  readonly ISTHMUS_SIGNING_KEY: string;
  readonly ISTHMUS_PUBLIC_KEYS: string;
}

export function keySettings(region: string, peers: readonly string[]): KeySettings {
  const believed = [region, ...peers].map((name) => [name, [{ key: keyOf(name).publicKey }]] as const);
  return {
    ISTHMUS_SIGNING_KEY: keyOf(region).privateKey,
    ISTHMUS_PUBLIC_KEYS: JSON.stringify(Object.fromEntries(believed)),
  };
}
