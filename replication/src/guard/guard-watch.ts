/**
 * Keeps what write guards decide from young: every 250 ms it reads how far each peer has confirmed what was written
 * here. Between two readings a budget may be overshot by what is written in that time, and no further. A reading that
 * fails leaves the last one, whose ages go on growing until the guard refuses; every process that takes writes runs
 * one of its own.
 */
import { ownAgeMs } from '../age.ts';
import { changesBetween } from '../change-count.ts';
import { ReplicationError } from '../errors.ts';
import type { BeatStore, OwnBeats, RpoFigures } from '../ports/beat-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import { type Guard, judgeWrite, type PeerBacklog, type Verdict } from './write-guard.ts';

const refreshMs = 250;
/** A newest counted beat older than two intervals says nothing of what was written since (P7). */
const countedStaleMs = 500;

export interface GuardWatchOptions {
  readonly region: RegionId;
  readonly peers: readonly RegionId[];
  /** By collection; one that is absent accepts. */
  readonly guards: ReadonlyMap<string, Guard>;
  readonly beats: Pick<BeatStore, 'overview'>;
  readonly clock: Clock;
  readonly timer: Timer;
}

export class GuardWatch {
  readonly #options: GuardWatchOptions;
  readonly #ticker: Ticker;
  #backlogs: readonly PeerBacklog[] = [];

  constructor(options: GuardWatchOptions) {
    this.#options = options;
    this.#ticker = new Ticker({
      timer: options.timer,
      intervalMs: refreshMs,
      run: () => this.#turn(),
    });
  }

  judge(collection: string): Verdict {
    const { guards, region, timer } = this.#options;
    const guard = guards.get(collection) ?? { kind: 'accept' };
    return judgeWrite(guard, region, { backlogs: this.#backlogs, nowMs: timer.monotonicMs() });
  }

  /** Reads nothing where no collection has a budget. */
  start(): void {
    const kinds = [...this.#options.guards.values()].map(({ kind }) => kind);
    if (kinds.includes('budget')) this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  async #turn(): Promise<void> {
    const { beats, peers, clock, timer } = this.#options;
    try {
      const readAtMs = timer.monotonicMs();
      const { rpo: figures, own } = await beats.overview();
      const nowMs = clock.nowMs();
      this.#backlogs = peers.map((peer) => {
        const found = figures.find((each) => each.peer === peer) ?? null;
        const before = this.#backlogs.find((each) => each.peer === peer) ?? null;
        const changes = missingChanges(found, own, nowMs);
        return {
          peer,
          readAtMs,
          ageMs: ownAgeMs(nowMs, found?.coveredAtMs ?? null, own.newest),
          changes: changes === null ? (before?.changes ?? null) : { count: changes, knownAtMs: readAtMs },
        };
      });
    } catch (error) {
      // What was read before grows old, and is judged by its age.
      if (!(error instanceof ReplicationError)) throw error;
    }
  }
}

/** `figures` were read before `own`, so no count exceeds the newest one. */
function missingChanges(figures: RpoFigures | null, own: OwnBeats, nowMs: number): number | null {
  const counted = own.newestCounted;
  const countedAgeMs = ownAgeMs(nowMs, counted?.atMs ?? null, own.newest);
  if (countedAgeMs === null || countedAgeMs > countedStaleMs) return null;
  const settled = figures?.settledCount ?? null;
  if (counted === null || counted.count === null || settled === null) return null;
  const missing = changesBetween(settled, counted.count);
  return missing === null ? null : Math.max(0, missing);
}
