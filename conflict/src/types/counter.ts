/**
 * Counters. Each actor has one slot: what it added and took away, and how much of both a reset or delete has taken
 * back. All four only grow, so slots merge by the greater of each, and a delete takes back exactly what it saw: an
 * increment made elsewhere meanwhile stays, to the last unit.
 */
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { ConflictError, malformed } from '../errors.ts';

interface Slot {
  readonly added: number;
  readonly taken: number;
  readonly addedBack: number;
  readonly takenBack: number;
}

const zero: Slot = { added: 0, taken: 0, addedBack: 0, takenBack: 0 };

function encodeSlot({ added, taken, addedBack, takenBack }: Slot): Uint8Array {
  const writer = new ByteWriter(16);
  for (const part of [added, taken, addedBack, takenBack]) writer.integer(part);
  return writer.finish();
}

export function decodeSlot(payload: Uint8Array): Slot {
  const reader = new ByteReader(payload);
  const [added, taken] = [reader.integer(), reader.integer()];
  const [addedBack, takenBack] = [reader.integer(), reader.integer()];
  if (reader.at !== payload.length) throw malformed('bytes after a slot');
  if (addedBack > added || takenBack > taken) throw malformed('more was taken back than there was');
  return { added, taken, addedBack, takenBack };
}

export function joinSlots(left: Uint8Array, right: Uint8Array): Uint8Array {
  const [a, b] = [decodeSlot(left), decodeSlot(right)];
  return encodeSlot({
    added: Math.max(a.added, b.added),
    taken: Math.max(a.taken, b.taken),
    addedBack: Math.max(a.addedBack, b.addedBack),
    takenBack: Math.max(a.takenBack, b.takenBack),
  });
}

export function slotValue(payload: Uint8Array): number {
  const slot = decodeSlot(payload);
  return slot.added - slot.addedBack - (slot.taken - slot.takenBack);
}

/** Something in it has not been taken back. */
export function isSlotLive(payload: Uint8Array): boolean {
  const slot = decodeSlot(payload);
  return slot.added > slot.addedBack || slot.taken > slot.takenBack;
}

/** The own slot after an increment; `held` is what the counter reads before it. */
export function increased(
  own: Uint8Array | null,
  amount: number,
  at: { field: string; held: number },
): Uint8Array {
  const before = own === null ? zero : decodeSlot(own);
  const slot = {
    ...before,
    added: before.added + Math.max(0, amount),
    taken: before.taken + Math.max(0, -amount),
  };
  const total = at.held + amount;
  if ([total, slot.added, slot.taken].every(Number.isSafeInteger)) return encodeSlot(slot);
  const detail = { field: at.field, rule: 'a safe integer', limit: Number.MAX_SAFE_INTEGER, value: total };
  throw new ConflictError('counter-out-of-range', detail);
}

/** The slot with everything in it taken back. */
export function takenBackWhole(payload: Uint8Array): Uint8Array {
  const slot = decodeSlot(payload);
  return encodeSlot({ ...slot, addedBack: slot.added, takenBack: slot.taken });
}
