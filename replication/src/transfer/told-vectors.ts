/** What peers told last in their progress, for the tail watch: only the newest word of each counts. */
import type { ProgressMessage } from '../log/progress-record.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Told } from './tail-watch.ts';

export class ToldVectors {
  readonly #clock: Clock;
  readonly #told = new Map<RegionId, Told>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note({ region, origins }: ProgressMessage): void {
    const settled = origins.flatMap(({ origin, incarnation, settled: lsns }) =>
      (lsns ?? []).map((lsn, partition) => ({ region: origin, incarnation, partition, lsn })),
    );
    this.#told.set(region, { peer: region, settled, atMs: this.#clock.nowMs() });
  }

  all(): readonly Told[] {
    return [...this.#told.values()];
  }
}
