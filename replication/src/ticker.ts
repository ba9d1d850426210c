/**
 * Runs one piece of work at a fixed rate. Due times lie on a grid, so that slow runs
 * cause no drift; a run that outlasts its slot makes the missed slots fall out instead of piling up, and a run that
 * never ends stops the ticker without stopping the process. Two runs never overlap. Operating failures are the
 * work's own business: what it throws is a bug, and is left unhandled so that the process ends.
 *
 * A process has two dozen of these and starts them at one moment. The first run of each comes at once; after it their
 * grids lie apart, because all of them together would hold up for milliseconds whatever is under way, four times a
 * second.
 */
import type { Timer } from './ports/timer.ts';

export interface TickerOptions {
  readonly timer: Timer;
  readonly intervalMs: number;
  readonly run: () => Promise<void>;
}

/** The golden section: however many parts an interval is cut into by it, no two cuts lie close together. */
const section = (Math.sqrt(5) - 1) / 2;
/** Tickers that were started on a timer so far. */
const startedOn = new WeakMap<Timer, number>();

/** How far the grid of the next ticker lies before its first run: not at all for the first one. Whole milliseconds. */
function leadMs(timer: Timer, intervalMs: number): number {
  const count = startedOn.get(timer) ?? 0;
  startedOn.set(timer, count + 1);
  return Math.floor(((count * section) % 1) * intervalMs);
}

/** The first moment of the grid through `dueMs` that is later than `nowMs`. */
export function nextDueMs(dueMs: number, nowMs: number, intervalMs: number): number {
  const missed = Math.max(0, Math.floor((nowMs - dueMs) / intervalMs));
  return dueMs + (missed + 1) * intervalMs;
}

export class Ticker {
  readonly #options: TickerOptions;
  #cancel: (() => void) | null = null;
  #running: Promise<void> = Promise.resolve();
  #stopped = true;

  constructor(options: TickerOptions) {
    this.#options = options;
  }

  /** The first run starts at once. */
  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    const { timer, intervalMs } = this.#options;
    this.#schedule(timer.monotonicMs() - leadMs(timer, intervalMs));
  }

  /** No run starts afterwards; resolves when the one in flight has ended, so a caller with a deadline races it. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = null;
    return this.#running;
  }

  #schedule(dueMs: number): void {
    const { timer } = this.#options;
    const delayMs = Math.max(0, dueMs - timer.monotonicMs());
    this.#cancel = timer.after(delayMs, () => {
      this.#running = this.#runAt(dueMs);
    });
  }

  async #runAt(dueMs: number): Promise<void> {
    const { timer, intervalMs, run } = this.#options;
    await run();
    if (this.#stopped) return;
    this.#schedule(nextDueMs(dueMs, timer.monotonicMs(), intervalMs));
  }
}
