/**
 * The one join, for states and deltas alike. An entry that both sides hold stays; one that a single side holds stays
 * unless the other side has seen its dot and holds it no more, for then it was overwritten or deleted there. Slots of a
 * counter grow together. The join knows no schema and no clock, which is why it gives the same bytes in every order
 * and under every repetition.
 */
import { CausalContext } from '../causal/context.ts';
import { compareStamps } from '../clock/stamp.ts';
import { compareBytes } from '../codec/byte-reader.ts';
import { joinSlots } from '../types/counter.ts';
import { compareEntries, kinds } from './record.ts';
import type { Entry, RecordParts } from './record.ts';

export function joinRecords(a: RecordParts, b: RecordParts): RecordParts {
  const context = new CausalContext();
  context.joinAll(a.context);
  context.joinAll(b.context);
  const entries: Entry[] = [];
  for (let i = 0, j = 0; i < a.entries.length || j < b.entries.length; ) {
    const [left, right] = [a.entries[i], b.entries[j]];
    const order = orderOf(left, right);
    if (order <= 0) i++;
    if (order >= 0) j++;
    const kept =
      order === 0 ? both(left, right) : order < 0 ? alone(left, b.context) : alone(right, a.context);
    if (kept !== null) entries.push(kept);
  }
  return { context, entries };
}

function orderOf(left: Entry | undefined, right: Entry | undefined): number {
  if (left === undefined) return 1;
  return right === undefined ? -1 : compareEntries(left, right);
}

function alone(entry: Entry | undefined, other: CausalContext): Entry | null {
  return entry === undefined || other.has(entry.dot) ? null : entry;
}

/** One dot has one content, save for slots, which grow, and for bytes that somebody forged: those order themselves. */
function both(left: Entry | undefined, right: Entry | undefined): Entry | null {
  if (left === undefined || right === undefined) return null;
  const stamp = compareStamps(left.stamp, right.stamp) >= 0 ? left.stamp : right.stamp;
  if (left.kind === kinds.counter) return { ...left, stamp, payload: joinSlots(left.payload, right.payload) };
  const payload = compareBytes(left.payload, right.payload) >= 0 ? left.payload : right.payload;
  return { ...left, stamp, payload };
}
