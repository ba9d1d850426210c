/**
 * For each life of a region the newest beat that all its partitions here have settled, as far as they are known (P7). A
 * life of which one partition has settled no beat has none. Pure.
 */
import type { BeatOf } from '../ports/beat-store.ts';
import type { PositionRow } from '../ports/record-store.ts';

export type SettledBeatRow = Pick<PositionRow, 'origin' | 'incarnation' | 'beat'>;

export function settledBeats(rows: readonly SettledBeatRow[]): readonly BeatOf[] {
  const least = new Map<string, BeatOf | null>();
  for (const { origin: region, incarnation, beat } of rows) {
    const life = `${region} ${incarnation.counter} ${incarnation.nonce}`;
    const known = least.get(life);
    if (beat === null) least.set(life, null);
    else if (known === undefined || (known !== null && beat.number < known.beat.number))
      least.set(life, { region, incarnation, beat });
  }
  return [...least.values()].filter((beat) => beat !== null);
}
