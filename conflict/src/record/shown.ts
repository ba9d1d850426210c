/**
 * What a state shows of one field, from its entries. The siblings of a register stand in order, the shown one
 * first: the later stamp, ties by actor and counter. A counter shows the sum of its slots.
 */
import { readSlot, sumOf } from './counter-slot.ts';
import type { Entry } from './decoded.ts';
import { compareEntries } from './decoded.ts';
import { counterTag, registerTag } from './tags.ts';

export function siblingsOf(entries: readonly Entry[], path: string): readonly Entry[] {
  return entries
    .filter((entry) => entry.tag === registerTag && entry.path === path)
    .toSorted((left, right) => compareEntries(right, left));
}

export function slotsOf(entries: readonly Entry[], path: string): readonly Entry[] {
  return entries.filter((entry) => entry.tag === counterTag && entry.path === path);
}

export function countOf(entries: readonly Entry[], path: string): number {
  return sumOf(slotsOf(entries, path).map((entry) => readSlot(entry.payload)));
}
