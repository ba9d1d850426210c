/**
 * A stamp orders writes: 48 bits of milliseconds, 16 of a logical count. It never identifies anything; that is
 * the dot's work. The next stamp is above every stamp it has to follow whatever the wall clock says, and a full
 * logical count moves on to the next millisecond instead of failing.
 * Source: Kulkarni and others, "Logical Physical Clocks" (2014).
 */
import type { ByteWriter } from '../codec/byte-writer.ts';
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

export function writeStamp(writer: ByteWriter, { ms, logical }: Stamp): void {
  let scale = 2 ** 40;
  for (let index = 0; index < 6; index += 1) {
    writer.byte(Math.floor(ms / scale) % 0x100);
    scale /= 0x100;
  }
  writer.byte(logical >>> 8);
  writer.byte(logical & 0xff);
}

function word(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16);
  return (high | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
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
