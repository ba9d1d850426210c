/**
 * What can be said of a state without its schema. The live hash covers every live entry, hidden siblings
 * included, with dot, stamp and payload, and nothing of the context: two regions that show the same record have
 * the same hash, whatever deletes either has forgotten. A record that does not exist hashes to zeros, so that
 * in a sum of hashes it counts as absent. The version is that hash as text.
 */
import { ByteWriter } from '../codec/byte-writer.ts';
import { hash128 } from '../codec/hash128.ts';
import { encodeUtf8 } from '../codec/utf8.ts';
import { EntryCursor } from './entry-cursor.ts';
import { readHeader } from './header.ts';
import type { Entry } from './decoded.ts';
import { decode, highestStampOf } from './decoded.ts';
import { lifeOf } from './life.ts';
import { readStamp, writeStamp } from '../clock/stamp.ts';

/** 16 bytes. */
export function liveHash(state: Uint8Array): Uint8Array {
  return hashOf(lifeOf(decode(state).entries).live);
}

/** 32 hexadecimal digits. */
export function version(state: Uint8Array): string {
  return versionOf(lifeOf(decode(state).entries).live);
}

export function versionOf(live: readonly Entry[]): string {
  return [...hashOf(live)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** True where the record does not exist: never written, or deleted. */
export function isDead(state: Uint8Array): boolean {
  return !lifeOf(decode(state).entries).exists;
}

/** Milliseconds of the highest stamp in a state or delta, hidden and deleted entries included. */
export function highestStamp(bytes: Uint8Array): number | null {
  const cursor = new EntryCursor(readHeader(bytes));
  let highest: number | null = null;
  while (cursor.next()) {
    if (cursor.stamped) highest = Math.max(highest ?? 0, readStamp(cursor.bytes, cursor.stampAt).ms);
  }
  return highest;
}

export function updatedAtOf(live: readonly Entry[]): number | null {
  return highestStampOf(live)?.ms ?? null;
}

function hashOf(live: readonly Entry[]): Uint8Array {
  const writer = new ByteWriter(512);
  for (const entry of live) {
    writer.block(encodeUtf8(entry.path));
    writer.byte(entry.tag);
    writer.block(encodeUtf8(entry.dot.actor));
    writer.integer(entry.dot.counter);
    if (entry.stamp !== null) writeStamp(writer, entry.stamp);
    writer.block(entry.payload);
  }
  return hash128(writer.finish());
}
