/**
 * The newest beat of every origin that has arrived here, applied or not: the appliers note beats as they come, the
 * publisher echoes them and stores them. A beat that is not newer is dropped, so reading a log again from its
 * beginning never makes an origin look older, nor an old beat look freshly received. The last leaps between the times
 * of beats are kept, because there an origin's clock was set. When a beat was received is told by the own clock as it goes
 * now, however that was set since: an echo with times of two clocks would measure what no clock shows (0030).
 */
import type { HeardBeat } from '../ports/beat-store.ts';
import type { Clock } from '../ports/clock.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Timer } from '../ports/timer.ts';
import { beatIntervalMs } from './beat-interval.ts';
import { type Leap, leastJumpMs } from './earlier-offsets.ts';

const keptLeaps = 16;

export interface HeardBeatsOptions {
  readonly clock: Clock;
  readonly timer: Pick<Timer, 'monotonicMs'>;
}

export class HeardBeats {
  readonly #options: HeardBeatsOptions;
  readonly #newest = new Map<RegionId, HeardBeat>();
  readonly #leaps = new Map<RegionId, readonly Leap[]>();
  #ownBaseMs: number | null = null;

  constructor(options: HeardBeatsOptions) {
    this.#options = options;
  }

  note(heard: HeardBeat): void {
    this.#followOwnClock();
    const known = this.#newest.get(heard.origin);
    if (known !== undefined && !isNewer(heard, known)) return;
    this.#newest.set(heard.origin, heard);
    if (known === undefined || !sameIncarnation(heard.incarnation, known.incarnation))
      this.#leaps.delete(heard.origin);
    else this.#addLeap(known, heard);
  }

  newest(origin: RegionId): HeardBeat | null {
    this.#followOwnClock();
    return this.#newest.get(origin) ?? null;
  }

  /** Between beats of the origin's present life; oldest first. */
  leaps(origin: RegionId): readonly Leap[] {
    return this.#leaps.get(origin) ?? [];
  }

  #addLeap({ origin, beat: known }: HeardBeat, { beat }: HeardBeat): void {
    const byMs = beat.atMs - known.atMs - (beat.number - known.number) * beatIntervalMs;
    if (Math.abs(byMs) < leastJumpMs) return;
    this.#leaps.set(origin, [...this.leaps(origin), { afterBeat: known.number, byMs }].slice(-keptLeaps));
  }

  all(): readonly HeardBeat[] {
    this.#followOwnClock();
    return [...this.#newest.values()];
  }

  /** The own clock minus the monotonic one moves where the own clock is set. */
  #followOwnClock(): void {
    const { clock, timer } = this.#options;
    const ownBaseMs = clock.nowMs() - timer.monotonicMs();
    const byMs = ownBaseMs - (this.#ownBaseMs ?? ownBaseMs);
    this.#ownBaseMs = ownBaseMs;
    if (Math.abs(byMs) < leastJumpMs) return;
    for (const [origin, heard] of this.#newest)
      this.#newest.set(origin, { ...heard, receivedAtMs: heard.receivedAtMs + byMs });
  }
}

function isNewer(heard: HeardBeat, known: HeardBeat): boolean {
  if (sameIncarnation(heard.incarnation, known.incarnation)) return heard.beat.number > known.beat.number;
  return heard.incarnation.counter >= known.incarnation.counter;
}
