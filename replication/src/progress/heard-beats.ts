/**
 * The newest beat of every origin that has arrived here, applied or not: the appliers note beats as they come, the
 * publisher echoes them and stores them. A beat that is not newer is dropped, so reading a log again from its
 * beginning never makes an origin look older, nor an old beat look freshly received.
 */
import type { HeardBeat } from '../ports/beat-store.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';

export class HeardBeats {
  readonly #newest = new Map<RegionId, HeardBeat>();

  note(heard: HeardBeat): void {
    const known = this.#newest.get(heard.origin);
    if (known === undefined || isNewer(heard, known)) this.#newest.set(heard.origin, heard);
  }

  all(): readonly HeardBeat[] {
    return [...this.#newest.values()];
  }
}

function isNewer(heard: HeardBeat, known: HeardBeat): boolean {
  if (sameIncarnation(heard.incarnation, known.incarnation)) return heard.beat.number > known.beat.number;
  return heard.incarnation.counter >= known.incarnation.counter;
}
