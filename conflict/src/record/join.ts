/**
 * The join of two records, which is what merging means: what both hold survives, and what only one holds survives if
 * the other has not seen its dot. This is the definition, written to be read; `byte-merge.ts` gives the same bytes for
 * the common cases without taking anything apart, and a test holds the two together. The join is commutative,
 * associative and idempotent for any two records that are well formed, forged ones included. Which of two entries under
 * one dot it finds is not said: `validate` refuses such bytes. (Almeida, Shoker, Baquero, "Delta State Replicated Data
 * Types", 2018.)
 */
import { hasSeen, joinSeen } from '../causal/seen.ts';
import { vectorOf, vectorPayload } from '../codec/vector.ts';
import type { DecodedRecord } from './decoded-record.ts';
import { type Entry, identityOf, isSlot } from './entry.ts';

export function join(a: DecodedRecord, b: DecodedRecord): DecodedRecord {
  const others = new Map(b.entries.map((entry) => [identityOf(entry), entry]));
  const entries = a.entries.flatMap((entry) => {
    const identity = identityOf(entry);
    const other = others.get(identity);
    if (other === undefined) return hasSeen(b.context, entry) ? [] : [entry];
    others.delete(identity);
    return isSlot(entry) ? joinedSlot(entry, other) : oneOf(entry, other);
  });
  for (const entry of others.values()) if (!hasSeen(a.context, entry)) entries.push(entry);
  return { minor: Math.max(a.minor, b.minor), context: joinSeen(a.context, b.context), entries };
}

/** One dot has one content; where somebody forged another, the greater bytes are taken, so that any order agrees. */
function oneOf(mine: Entry, theirs: Entry): Entry {
  return mine.payload < theirs.payload ? theirs : mine;
}

/** The later birth proves that the earlier slot was exhausted; of one birth each number is the greater of both. */
function joinedSlot(mine: Entry, theirs: Entry): Entry {
  if (mine.counter !== theirs.counter) return mine.counter > theirs.counter ? mine : theirs;
  const left = vectorOf(mine.payload);
  const right = vectorOf(theirs.payload);
  const longer = left.length > right.length ? left : right;
  return { ...mine, payload: vectorPayload(longer.map((_, at) => Math.max(left[at] ?? 0, right[at] ?? 0))) };
}
