/**
 * A stamp orders writes: 48 bits of milliseconds, 16 of a logical count. It never identifies anything; that is
 * the dot's work. The next stamp is above every stamp it has to follow whatever the wall clock says, and a full
 * logical count moves on to the next millisecond instead of failing.
 * Source: Kulkarni and others, "Logical Physical Clocks" (2014).
 */
import { ConflictError, describe } from '../errors.ts';

export interface Stamp {
  /** Milliseconds since 1970. */
  readonly ms: number;
  readonly logical: number;
}

export const stampBytes = 8;
const maxMs = 2 ** 48 - 1;
const maxLogical = 2 ** 16 - 1;

export function compareStamps(left: Stamp, right: Stamp): number {
  return left.ms - right.ms || left.logical - right.logical;
}

/** The larger of the wall clock and the successor of `highest`. At the very end of time it stays there. */
export function nextStamp(highest: Stamp | null, nowMs: number): Stamp {
  const ms = wholeMs(nowMs);
  if (highest === null || ms > highest.ms) return { ms, logical: 0 };
  if (highest.logical < maxLogical) return { ms: highest.ms, logical: highest.logical + 1 };
  return highest.ms < maxMs ? { ms: highest.ms + 1, logical: 0 } : highest;
}

export function readStamp(bytes: Uint8Array, at: number): Stamp {
  const high = word(bytes, at);
  const low = word(bytes, at + 4);
  return { ms: high * 0x10000 + (low >>> 16), logical: low & 0xffff };
}

export function encodeStamp(stamp: Stamp): Uint8Array {
  const bytes = new Uint8Array(stampBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(stamp.ms / 0x10000));
  view.setUint16(4, stamp.ms % 0x10000);
  view.setUint16(6, stamp.logical);
  return bytes;
}

function word(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

export function wholeMs(nowMs: number): number {
  const ms = Math.floor(nowMs);
  if (!(ms >= 0 && ms <= maxMs)) {
    throw new ConflictError('invalid-value', {
      field: '',
      rule: 'milliseconds since 1970',
      limit: maxMs,
      value: describe(nowMs),
    });
  }
  return ms;
}

/** RFC 3339 with the logical count behind it. */
export function stampText({ ms, logical }: Stamp): string {
  return `${new Date(ms).toISOString()}/${logical}`;
}
