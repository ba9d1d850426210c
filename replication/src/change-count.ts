/**
 * Numbers of own changes, as beats carry them (P2, P7). Where changes were lost before anybody counted them, as with a
 * slot, counting goes on in a new era, far above all that was counted before: between counts of two eras nobody knows how
 * many changes lie, and a number that leaves out what was lost must not be told. Pure.
 */
const eraSize = 2 ** 40;

/** The first count of that era; eras are numbered from 0. */
export function countInEra(era: number): number {
  return era * eraSize;
}

/** The first count of the era after this one. */
export function countInNextEra(count: number): number {
  return countInEra(eraOf(count) + 1);
}

/** `null`: unknown. */
export function changesBetween(older: number, newer: number): number | null {
  return eraOf(older) === eraOf(newer) ? newer - older : null;
}

function eraOf(count: number): number {
  return Math.floor(count / eraSize);
}
