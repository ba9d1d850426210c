/**
 * One actor's part of a counter: what it added and took since the slot's birth, and the baseline, the part of
 * both that resets and deletes have seen. All four only grow. What lies above the baseline counts, so a reset
 * takes away exactly what it saw and an increment made meanwhile survives it exactly. A slot whose baseline has
 * caught up is exhausted: it holds nothing, and its owner may leave it for a new birth.
 */
import { malformed } from '../errors.ts';
import { encodeVector, readVector } from './vector.ts';

export interface CounterSlot {
  readonly added: number;
  readonly taken: number;
  readonly baseAdded: number;
  readonly baseTaken: number;
}

export const emptySlot: CounterSlot = { added: 0, taken: 0, baseAdded: 0, baseTaken: 0 };

export function readSlot(payload: Uint8Array): CounterSlot {
  const values = readVector(payload, 0, payload.length);
  const [added = 0, taken = 0, baseAdded = 0, baseTaken = 0] = values;
  if (values.length > 4 || baseAdded > added || baseTaken > taken) {
    throw malformed('a counter slot below its baseline', values.length);
  }
  return { added, taken, baseAdded, baseTaken };
}

export function encodeSlot(slot: CounterSlot): Uint8Array {
  return encodeVector([slot.added, slot.taken, slot.baseAdded, slot.baseTaken]);
}

export function isExhausted(slot: CounterSlot): boolean {
  return slot.added === slot.baseAdded && slot.taken === slot.baseTaken;
}

export function resetSlot(slot: CounterSlot): CounterSlot {
  return { ...slot, baseAdded: slot.added, baseTaken: slot.taken };
}

/** Null where the slot has no room left for the amount. */
export function addToSlot(slot: CounterSlot, amount: number): CounterSlot | null {
  const added = slot.added + Math.max(amount, 0);
  const taken = slot.taken + Math.max(-amount, 0);
  return Number.isSafeInteger(added) && Number.isSafeInteger(taken) ? { ...slot, added, taken } : null;
}

/** The sum of all slots. Exact within the safe integers, the nearest number beyond them. */
export function sumOf(slots: readonly CounterSlot[]): number {
  let sum = 0;
  for (const slot of slots) {
    sum += slot.added - slot.baseAdded - (slot.taken - slot.baseTaken);
    if (!Number.isSafeInteger(sum)) return exactSumOf(slots);
  }
  return sum;
}

function exactSumOf(slots: readonly CounterSlot[]): number {
  let sum = 0n;
  for (const slot of slots) {
    sum += BigInt(slot.added) - BigInt(slot.baseAdded) - BigInt(slot.taken) + BigInt(slot.baseTaken);
  }
  return Number(sum);
}
