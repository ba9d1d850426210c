/**
 * How far a region has written, as it tells a peer that asks (P6, P7): by its newest counted beat. A life that is not the
 * first comes after others that have written, counted or not, so before a beat of it is counted it names the newest that
 * there is, and before that the first one that will be. Pure.
 */
import type { OwnBeats } from './ports/beat-store.ts';
import type { Incarnation } from './ports/identity.ts';
import type { Mark } from './ports/incident-store.ts';

const firstBeat = 1;

/** `null`: as far as it knows nothing was ever written. */
export function writtenMark(
  incarnation: Incarnation,
  { newest, newestCounted }: Pick<OwnBeats, 'newest' | 'newestCounted'>,
): Mark | null {
  if (newestCounted !== null) return { incarnation, beat: newestCounted.number, count: newestCounted.count };
  return incarnation.counter === 1 ? null : { incarnation, beat: newest?.number ?? firstBeat, count: null };
}
