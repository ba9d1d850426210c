/**
 * How many dead letters a region holds (I12). Open ones are never dropped: where those of one origin are at their bound,
 * what would add to them is not taken, so its partition waits where everybody sees it, and the change stays in the
 * origin's log and records. Closed ones are history and go after a time, or before it where there are many newer ones.
 */
import { ReplicationError } from './errors.ts';
import type { RecordId } from './ports/change.ts';

export interface Held {
  readonly count: number;
  /** Of their deltas and of their names: one that is put aside for the length of its name may be nothing else. */
  readonly bytes: number;
}

/** Open ones of one origin. */
export const openLimits: Held = { count: 20_000, bytes: 64 * 1024 * 1024 };

export const keptClosedMs = 30 * 24 * 60 * 60 * 1000;
export const keptClosedCount = 10_000;

/** Closed ones that one transaction drops. */
export const droppedAtOnce = 500;

/** Where none is open anything may come, so that no single log record can be too large for ever. */
export function hasRoom(open: Held, more: Held): boolean {
  if (open.count === 0) return true;
  return open.count + more.count <= openLimits.count && open.bytes + more.bytes <= openLimits.bytes;
}

/** How much of the bound is taken: 1 where nothing more fits. */
export function filled({ count, bytes }: Held): number {
  return Math.max(count / openLimits.count, bytes / openLimits.bytes);
}

export function sumOf(held: readonly Held[]): Held {
  const sum = { count: 0, bytes: 0 };
  for (const { count, bytes } of held) {
    sum.count += count;
    sum.bytes += bytes;
  }
  return sum;
}

export function heldBy<T extends RecordId>(kept: readonly T[], bytesOf: (one: T) => Uint8Array): Held {
  const bytes = kept.reduce((sum, one) => sum + nameBytes(one) + bytesOf(one).length, 0);
  return { count: kept.length, bytes };
}

function nameBytes({ collection, key }: RecordId): number {
  return Buffer.byteLength(collection) + Buffer.byteLength(key);
}

/** What a transfer keeps of states that were refused, until they become dead letters, is bounded in the same way. */
export function requireRoom(kept: Held, more: Held): void {
  if (hasRoom(kept, more)) return;
  const [count, bytes] = [kept.count + more.count, kept.bytes + more.bytes];
  const limits = `${openLimits.count} states and ${openLimits.bytes} bytes`;
  const detail = `${count} states of ${bytes} bytes are refused here, and the limit of a transfer is ${limits}`;
  throw new ReplicationError('overloaded', detail, { retriable: true });
}
