/**
 * A stamp orders values that were written concurrently. It is a hybrid logical clock reading: milliseconds since
 * 1970 in 48 bits and a logical counter in 16 (Kulkarni et al., "Logical Physical Clocks", 2014). A stamp is no
 * identity: two writes may share one, and then their dots decide. When the logical part is full the milliseconds
 * advance by one; only at the end of the representable time, in the year 10889, stamps stand still. Issuing one never
 * fails.
 */
import { readFrom } from '../arguments.ts';
import { check, refusal } from '../refusal.ts';

/** A reading of a hybrid logical clock. */
export interface Stamp {
  /** Milliseconds since 1970, an integer below 2^48. */
  readonly ms: number;
  /** 0 to 65,535. */
  readonly logical: number;
}

const latestMs = 2 ** 48 - 1;
const latestLogical = 0xffff;

/**
 * Negative, zero or positive, as `a` is before, equal to or after `b`. Throws `invalid-argument` for what is no stamp.
 */
export function compareStamps(a: Stamp, b: Stamp): number {
  return orderOf(checkedStamp(a), checkedStamp(b));
}

export function orderOf(a: Stamp, b: Stamp): number {
  return a.ms - b.ms || a.logical - b.logical;
}

/** The least stamp that is not below `nowMs` and above `highest`, if there is one. */
export function nextStamp(nowMs: number, highest: Stamp | null): Stamp {
  if (highest === null || nowMs > highest.ms) return { ms: nowMs, logical: 0 };
  if (highest.logical < latestLogical) return { ms: highest.ms, logical: highest.logical + 1 };
  return highest.ms < latestMs ? { ms: highest.ms + 1, logical: 0 } : highest;
}

/** Whole milliseconds that a stamp can hold; a reading with fractions is rounded down. */
export function checkedMs(ms: number, rule = 'now'): number {
  const isMs = typeof ms === 'number' && ms >= 0 && ms <= latestMs;
  check(isMs, 'invalid-argument', { rule, limit: latestMs, value: ms });
  return Math.floor(ms);
}

/** A stamp that may come from anywhere. */
export function checkedStamp(stamp: Stamp): Stamp {
  const { ms, logical } = readFrom(stamp, 'stamp', (): Partial<Stamp> => {
    const { ms: given, logical: part } = Object(stamp);
    return { ms: given, logical: part };
  });
  if (!isWhole(ms, latestMs) || !isWhole(logical, latestLogical)) {
    throw refusal('invalid-argument', { rule: 'stamp', value: stamp });
  }
  return { ms, logical };
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most;
}
