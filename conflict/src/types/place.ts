/**
 * Where a value stands: the field's declaration, its path in bytes and in words, the entries found there and what
 * hides some of them. Types are read from places and edited at places; they know nothing of records beyond that.
 */
import { ConflictError } from '../errors.ts';
import { type Entry, isOutdated, latestDeletion } from '../record/entry.ts';
import { isHidden } from '../record/liveness.ts';
import type { Draft } from '../record/draft.ts';
import { type FieldNode, nodeAt } from '../record/field-tree.ts';

export interface Place {
  /** Binary string. */
  readonly path: string;
  /** Path in words, for errors and reports. */
  readonly label: string;
  readonly node: FieldNode;
  /** What hides earlier entries, in collections in which the last writer wins. */
  readonly deletion: Entry | null;
}

/** A place in a draft, whose node may be written to. */
export function placeIn(draft: Draft, path: string, label: string): Place {
  return { path, label, node: nodeAt(draft.root, path), deletion: latestDeletion(draft.root.entries) };
}

/** Entries with a tag that are not hidden, of each actor the latest at a key. */
export function visibleAt(place: Place, tag: number): readonly Entry[] {
  return entriesAt(place, tag).filter(
    (entry, index, all) => !isOutdated(entry, all[index + 1]) && !isHidden(entry, place.deletion),
  );
}

export function entriesAt(place: Place, tag: number): readonly Entry[] {
  return place.node.entries.filter((entry) => entry.tag === tag);
}

/** An amount of a counter's operation, not below `least`. */
export function checkedAmount(label: string, amount: unknown, least: number): number {
  if (typeof amount === 'number' && Number.isInteger(amount) && amount >= least) {
    return checkedRange(label, amount, amount);
  }
  const [rule, message] =
    least === 0
      ? ['non-negative-integer', 'an amount has to be a non-negative integer']
      : ['integer', 'an amount has to be an integer'];
  throw new ConflictError('invalid-value', message, {
    field: label,
    rule,
    value: amount,
  });
}

/** The number that a counter would hold after a change by `amount`, if it may hold it. */
export function checkedRange(label: string, value: number, amount: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new ConflictError('counter-out-of-range', 'the counter would leave the range of safe integers', {
    field: label,
    rule: 'safe-integer',
    limit: Math.sign(value) * Number.MAX_SAFE_INTEGER,
    value: amount,
  });
}
