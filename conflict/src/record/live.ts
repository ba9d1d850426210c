/**
 * Which entries of a record count. A record exists while its mark or any field is live. Where a removal is kept (in
 * last-writer-wins collections), only what was written later than the latest removal is live, and the record exists
 * only while a mark is; increments that no removal saw show whenever the record exists.
 */
import { ByteWriter } from '../codec/byte-writer.ts';
import { hash128 } from '../codec/hash128.ts';
import { encodeUtf8 } from '../codec/utf8.ts';
import { encodeStamp, stampBytes } from '../clock/stamp.ts';
import { decodeSlot, isSlotLive } from '../types/counter.ts';
import { compareWrites, kinds } from './record.ts';
import type { Entry, RecordParts } from './record.ts';

/** Empty where the record does not exist. */
export function liveEntries({ entries }: RecordParts): readonly Entry[] {
  const removal = latest(entries.filter((entry) => entry.kind === kinds.removal));
  const live = entries.filter((entry) => isLive(entry, removal));
  const exists = removal === null ? live.length > 0 : live.some((entry) => entry.kind === kinds.mark);
  return exists ? live : [];
}

function isLive(entry: Entry, removal: Entry | null): boolean {
  if (entry.kind === kinds.removal) return false;
  if (entry.kind === kinds.counter) return isSlotLive(entry.payload);
  return removal === null || compareWrites(entry, removal) > 0;
}

/** The entry that wins; `null` for none. */
export function latest(entries: readonly Entry[]): Entry | null {
  let winner: Entry | null = null;
  for (const entry of entries) if (winner === null || compareWrites(entry, winner) > 0) winner = entry;
  return winner;
}

/** 128 bits over the live entries with their dots and without the context; `null` where the record does not exist. */
export function hashOfLive(live: readonly Entry[]): Uint8Array | null {
  if (live.length === 0) return null;
  const writer = new ByteWriter(256);
  for (const entry of live) {
    writer.block(encodeUtf8(entry.field));
    writer.integer(entry.kind);
    writer.block(encodeUtf8(entry.dot.actor));
    writer.integer(entry.dot.counter);
    if (entry.kind === kinds.counter) writeNet(writer, entry.payload);
    else {
      writer.range(encodeStamp(entry.stamp), 0, stampBytes);
      writer.block(entry.payload);
    }
  }
  return hash128(writer.finish());
}

/** What was taken back does not show, so it is no part of what is compared. */
function writeNet(writer: ByteWriter, payload: Uint8Array): void {
  const slot = decodeSlot(payload);
  writer.integer(slot.added - slot.addedBack);
  writer.integer(slot.taken - slot.takenBack);
}
