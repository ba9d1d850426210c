/**
 * A record taken apart: its context and its entries. An entry is one live write (a register's value, the mark, a
 * removal) or one actor's slot of a counter. Entries are identified by field, kind and dot, so that holding, merging
 * and writing them needs no schema and works for kinds that a newer version adds.
 */
import { CausalContext } from '../causal/context.ts';
import type { Dot } from '../causal/context.ts';
import { compareStamps } from '../clock/stamp.ts';
import type { Stamp } from '../clock/stamp.ts';

/** The numbers are in the format for ever. */
export const kinds = { mark: 0, removal: 1, register: 2, counter: 3 } as const;

export interface Entry {
  /** Empty for mark and removal. */
  readonly field: string;
  readonly kind: number;
  readonly dot: Dot;
  readonly stamp: Stamp;
  readonly payload: Uint8Array;
}

export interface RecordParts {
  readonly context: CausalContext;
  /** In canonical order, no two alike. */
  readonly entries: readonly Entry[];
}

export function emptyRecord(): RecordParts {
  return { context: new CausalContext(), entries: [] };
}

/** Canonical order: field, kind, actor, counter. */
export function compareEntries(a: Entry, b: Entry): number {
  if (a.field !== b.field) return a.field < b.field ? -1 : 1;
  if (a.kind !== b.kind) return a.kind - b.kind;
  return compareDots(a.dot, b.dot);
}

function compareDots(a: Dot, b: Dot): number {
  if (a.actor !== b.actor) return a.actor < b.actor ? -1 : 1;
  return a.counter - b.counter;
}

/** Who wins: the later stamp, ties by dot. */
export function compareWrites(a: Entry, b: Entry): number {
  return compareStamps(a.stamp, b.stamp) || compareDots(a.dot, b.dot);
}

/** `null` where there is no entry. */
export function highestStampOf(entries: readonly Entry[]): Stamp | null {
  let highest: Stamp | null = null;
  for (const { stamp } of entries) {
    if (highest === null || compareStamps(stamp, highest) > 0) highest = stamp;
  }
  return highest;
}
