/**
 * What our transactions put into the write-ahead log and what the relay finds there. A local write transaction emits
 * one message with all its changes, in the order in which they were decided; a beat emits one of its own. The
 * changes message is binary and carries its version first; the beat is text, because SQL writes it.
 */
import { ByteReader, ByteWriter, malformed } from '../../bytes.ts';
import type { Beat, Change } from '../../ports/change.ts';

export const changesPrefix = 'isthmus.changes';
export const beatPrefix = 'isthmus.beat';

const changesVersion = 1;
const beatPattern = /^1 (\d{1,15}) ([0-9A-F]{1,8}\/[0-9A-F]{1,8}) (\d{1,15}(?:\.\d+)?)$/;

export function encodeChanges(changes: readonly Change[]): Buffer {
  const writer = new ByteWriter(1024);
  writer.u8(changesVersion);
  writer.varint(changes.length);
  for (const change of changes) {
    writer.string(change.collection);
    writer.string(change.key);
    writer.bytes(change.delta);
  }
  return writer.finish();
}

/** `content` may be overwritten by what is read next, so it is copied, once for all of its changes. */
export function decodeChanges(content: Uint8Array): readonly Change[] {
  const reader = new ByteReader(Buffer.from(content));
  const version = reader.u8();
  if (version !== changesVersion) throw malformed(`changes message of version ${version}`);
  const count = reader.varint();
  const changes: Change[] = [];
  for (let index = 0; index < count; index++) {
    changes.push({
      collection: reader.string(),
      key: reader.string(),
      delta: reader.bytes(),
    });
  }
  reader.end();
  return changes;
}

/** `1 <number> <insert LSN as Postgres prints it> <milliseconds since 1970>`. */
export function decodeBeat(text: string): Beat {
  const match = beatPattern.exec(text);
  const [, number, lsn, at] = match ?? [];
  if (number === undefined || lsn === undefined || at === undefined)
    throw malformed(`beat message: ${text.slice(0, 80)}`);
  return { number: Number(number), lsn: parseLsn(lsn), atMs: Number(at) };
}

/** Reads an LSN as Postgres prints it, for instance `0/16B3748`. */
export function parseLsn(text: string): bigint {
  const [high, low] = text.split('/');
  if (high === undefined || low === undefined) throw malformed(`LSN: ${text.slice(0, 40)}`);
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

export function formatLsn(lsn: bigint): string {
  const high = (lsn >> 32n).toString(16).toUpperCase();
  const low = (lsn & 0xffffffffn).toString(16).toUpperCase();
  return `${high}/${low}`;
}
