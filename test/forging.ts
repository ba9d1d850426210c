/**
 * What somebody could write into a region's log who can reach its Kafka: records of the region itself, and of whoever has
 * the key of another. Keys are those that the regions of this process were given.
 */
import { keySettings } from '@isthmus/local/signing-keys';
import { assert } from '@isthmus/replication/errors';
import { Ed25519Sealer } from '@isthmus/replication/log/ed25519-seal';
import { encodeLogRecord, type LogRecord, logRecordOrNull } from '@isthmus/replication/log/log-record';
import { readSealed } from '@isthmus/replication/log/sealed-record';
import { readSigningKey, type SigningKey } from '@isthmus/replication/log/signing-keys';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { LogTopic } from '@isthmus/replication/ports/log-seal';

function signingKeyOf(region: string): SigningKey {
  const key = readSigningKey(keySettings(region, []).ISTHMUS_SIGNING_KEY);
  assert(key !== null, `${region} has a key`);
  return key;
}

export interface SealOf {
  /** In whose log. */
  readonly region: string;
  readonly keyOf: string;
  /** By default its changes. */
  readonly topic?: LogTopic;
}

export function sealWith(
  { region: name, keyOf, topic = 'changes' }: SealOf,
  partition: number,
  body: Buffer,
): Buffer {
  const region = parseRegionId(name);
  assert(region !== null, `${name} is a region`);
  const [sealed] = new Ed25519Sealer(region, signingKeyOf(keyOf)).seal(topic, [{ partition, bytes: body }]);
  assert(sealed !== undefined, 'one record is sealed');
  return Buffer.from(sealed.bytes);
}

/** Names the key of the region, and keeps the signature that it has. */
export function underKeyOf(region: string, sealed: Buffer): Buffer {
  const bytes = Buffer.from(sealed);
  bytes.set(signingKeyOf(region).id, 1);
  return bytes;
}

/** Unchecked. */
export function recordIn(sealed: Uint8Array): LogRecord | null {
  return logRecordOrNull(readSealed(sealed)?.body ?? new Uint8Array());
}

/** A true record that goes on with what nobody wrote; `null`: it has no changes. */
export function forge(sealed: Uint8Array, { key }: { readonly key: string }): Buffer | null {
  const record = recordIn(sealed);
  const [change] = record?.kind === 'changes' ? record.changes : [];
  if (record?.kind !== 'changes' || change === undefined) return null;
  const to = record.to + 1_000_000n;
  return encodeLogRecord({ ...record, to, changes: [{ ...change, key, lsn: to }] });
}
