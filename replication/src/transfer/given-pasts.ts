/**
 * Whose past comes with a transfer (P9). Who gives everything gives what it held of its lives before as well, as the life
 * that its entry was of when that began. A third region's past comes where the donor has been given it: then it tells a
 * settled beat of that region's life, and never before. The own past is learnt in another way. Pure.
 */
import type { BeatOf } from '../ports/beat-store.ts';
import type { Life, RegionId } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';

export interface GivenView {
  readonly self: Life;
  readonly donor: RegionId;
  readonly vector: Vector;
  readonly beats: readonly BeatOf[];
}

/** The latest of each region. */
export function givenPasts({ self, donor, vector, beats }: GivenView): readonly Life[] {
  const latest = new Map<RegionId, Life>();
  const own = vector.filter(({ region }) => region === donor);
  for (const { region, incarnation } of [...own, ...beats, self]) {
    const known = latest.get(region);
    if (known === undefined || known.incarnation.counter < incarnation.counter)
      latest.set(region, { region, incarnation });
  }
  return [...latest.values()];
}
