/** What peers told last in their progress, for the tail watch: only the newest word of each counts. */
import type { ProgressMessage } from '../log/progress-record.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Told } from './tail-watch.ts';

export class ToldVectors {
  readonly #clock: Clock;
  readonly #told = new Map<RegionId, { readonly message: ProgressMessage; readonly atMs: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(message: ProgressMessage): void {
    this.#told.set(message.region, { message, atMs: this.#clock.nowMs() });
  }

  all(): readonly Told[] {
    return Array.from(this.#told.values(), ({ message, atMs }) => toldBy(message, atMs));
  }
}

function toldBy({ region, origins }: ProgressMessage, atMs: number): Told {
  const settled = origins.flatMap(({ origin, incarnation, settled: lsns }) =>
    (lsns ?? []).map((lsn, partition) => ({ region: origin, incarnation, partition, lsn })),
  );
  const given = origins.flatMap(({ origin, incarnation, settledBeat }) =>
    settledBeat === null ? [] : [{ region: origin, incarnation }],
  );
  return { peer: region, settled, given, atMs };
}
