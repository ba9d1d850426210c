/**
 * The keys of the configuration: what the region signs with, and whom it believes what lies in a log. Default is to
 * believe nobody: with peers, a region starts only with a key of its own, and with keys of every peer. A private key is
 * never repeated, and its file must be nobody else's to read.
 */
import { statSync } from 'node:fs';
import {
  type PublicKey,
  readPublicKey,
  readSigningKey,
  showKeyId,
  type SigningKey,
} from '@isthmus/replication/log/signing-keys';
import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import { z } from 'zod';
import type { Parsed } from './config-values.ts';

/** `none`: the region is alone and signs nothing. */
export type OwnSigning = SigningKey | 'none';

export function parseSigningKey(text: string): Parsed<OwnSigning> {
  if (text === '') return { value: 'none' };
  const key = readSigningKey(text);
  return key === null
    ? { takes: 'an Ed25519 private key in PEM, as "isthmus keys new" makes it' }
    : { value: key };
}

const maxKeysOfRegion = 16;
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const keyLists = z.record(
  z.string(),
  z
    .array(
      z.strictObject({
        key: z.string(),
        notBefore: time.nullable().default(null),
        notAfter: time.nullable().default(null),
      }),
    )
    .max(maxKeysOfRegion),
);

export function parsePublicKeys(text: string): Parsed<readonly PublicKey[]> {
  const takes =
    'a JSON object of {region: [{"key": public key in base64, "notBefore": time, "notAfter": time}]}, times in RFC ' +
    `3339 or left out, at most ${maxKeysOfRegion} keys of a region and none twice`;
  const lists = keyLists.safeParse(parsedJson(text));
  if (!lists.success) return { takes };
  const keys = Object.entries(lists.data).flatMap(([name, list]) => {
    const region = parseRegionId(name);
    return list.map((raw) => (region === null ? null : publicKeyOf(region, raw)));
  });
  const whole = keys.filter((key) => key !== null);
  const places = new Set(whole.map(({ region, id }) => `${region} ${showKeyId(id)}`));
  return places.size === keys.length ? { value: whole } : { takes };
}

type RawKey = z.infer<typeof keyLists>[string][number];

function publicKeyOf(region: RegionId, { key, notBefore, notAfter }: RawKey): PublicKey | null {
  const read = readPublicKey(key);
  const isSpan = notBefore === null || notAfter === null || notBefore < notAfter;
  return read !== null && isSpan ? { ...read, region, notBeforeMs: notBefore, notAfterMs: notAfter } : null;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface Keyed {
  readonly region: RegionId;
  readonly peers: readonly { readonly region: RegionId }[];
  readonly signingKey: OwnSigning;
  readonly publicKeys: readonly PublicKey[];
}

export interface KeyFault {
  readonly of: 'signingKey' | 'publicKeys';
  /** What may be shown of it; `null`: nothing is there. */
  readonly held: string | null;
  readonly takes: string;
}

/** Whether somebody would not be believed who has to be; `null`: nobody. */
export function keyFault({ region, peers, signingKey, publicKeys }: Keyed): KeyFault | null {
  if (signingKey === 'none') {
    if (peers.length === 0) return null;
    const takes = 'the key of this region, as "isthmus keys new" makes it: it has peers';
    return { of: 'signingKey', held: null, takes };
  }
  const held = publicKeys.length === 0 ? null : `${publicKeys.length} keys`;
  const isListed = publicKeys.some((key) => key.region === region && isSame(key.id, signingKey.id));
  if (!isListed) {
    const takes = `among the keys of ${region} that which the region signs with, ${showKeyId(signingKey.id)}`;
    return { of: 'publicKeys', held, takes };
  }
  const lacking = peers.find((peer) => !publicKeys.some((key) => key.region === peer.region));
  return lacking === undefined
    ? null
    : { of: 'publicKeys', held, takes: `a key at least of ${lacking.region}` };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

const [ownerOnly, groupMayRead] = [0o077, 0o037];

/** Nobody but its owner, who is this user or root, can read it; of root's also a group, as secrets are mounted. */
export function isPrivateFile(path: string): boolean {
  const self = process.getuid?.();
  if (self === undefined) return true;
  const { uid, mode } = statSync(path);
  if (uid === 0) return (mode & groupMayRead) === 0;
  return uid === self && (mode & ownerOnly) === 0;
}
