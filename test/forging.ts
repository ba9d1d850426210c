/**
 * What somebody could write into a region's log who can reach its Kafka: records of the region itself, and of whoever has
 * the key of another. Keys are those that the regions of this process were given.
 */
import { keySettings } from '@isthmus/local/signing-keys';
import { Ed25519Sealer } from '@isthmus/replication/log/ed25519-seal';
import { type LogRecord, logRecordOrNull } from '@isthmus/replication/log/log-record';
import { readSealed } from '@isthmus/replication/log/sealed-record';
import { readSigningKey, type SigningKey } from '@isthmus/replication/log/signing-keys';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { LogSealer } from '@isthmus/replication/ports/log-seal';
import { assert } from '@isthmus/replication/errors';

function signingKeyOf(region: string): SigningKey {
  const key = readSigningKey(keySettings(region, []).ISTHMUS_SIGNING_KEY);
  assert(key !== null, `${region} has a key`);
  return key;
}

/** Seals as of the one region with the key of the other. */
export function sealerOf(name: string, keyOf = name): LogSealer {
  const region = parseRegionId(name);
  assert(region !== null, `${name} is a region`);
  return new Ed25519Sealer(region, signingKeyOf(keyOf));
}

/** Unchecked. */
export function recordIn(sealed: Uint8Array): LogRecord | null {
  return logRecordOrNull(readSealed(sealed)?.body ?? new Uint8Array());
}

/** Names the key of the region, and keeps the signature that it has. */
export function underKeyOf(region: string, sealed: Buffer): Buffer {
  const bytes = Buffer.from(sealed);
  bytes.set(signingKeyOf(region).id, 1);
  return bytes;
}
