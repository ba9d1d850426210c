/**
 * Sends work at a set rate whatever becomes of it: the n-th piece is due n/rate after the start, and when the process
 * was late it sends all that has become due at once. It sleeps between ticks of a millisecond and never polls a clock,
 * because a busy generator takes a core from what it measures. What is outstanding is bounded: beyond the bound pieces
 * are dropped and counted, which is a load that was not borne.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Latency } from './histogram.ts';

const tickMs = 1;
const drainPollMs = 5;

export interface OpenLoopOptions {
  readonly ratePerS: number;
  readonly durationMs: number;
  /** Nothing becomes due after it is aborted; what was sent is still waited for. */
  readonly signal?: AbortSignal;
  readonly maxOutstanding: number;
  /** How long to wait, after the last was sent, for what is still outstanding. */
  readonly drainMs: number;
  /** Resolves when the piece is done. `dueMs` is on the clock of `performance.now()`. */
  readonly send: (index: number, dueMs: number) => Promise<void>;
}

export interface OpenLoopResult {
  /** Pieces that were due. */
  readonly due: number;
  readonly done: number;
  readonly failed: number;
  readonly dropped: number;
  readonly elapsedMs: number;
  /** From due to done. */
  readonly latency: Latency;
  /** From due to sent: the generator's own lateness. */
  readonly lateness: Latency;
  readonly firstFailure: string | null;
}

interface Progress {
  due: number;
  outstanding: number;
  done: number;
  failed: number;
  dropped: number;
  firstFailure: string | null;
}

export async function openLoop(options: OpenLoopOptions): Promise<OpenLoopResult> {
  const { ratePerS, durationMs, drainMs, signal } = options;
  const latency = new Latency();
  const lateness = new Latency();
  const progress: Progress = { due: 0, outstanding: 0, done: 0, failed: 0, dropped: 0, firstFailure: null };
  const total = Math.floor((ratePerS * durationMs) / 1000);
  const startMs = performance.now();
  const isEnded = (): boolean => progress.due >= total || signal?.aborted === true;
  while (!isEnded()) {
    const nowMs = performance.now();
    const dueNow = Math.min(total, dueBy(nowMs - startMs, ratePerS));
    while (progress.due < dueNow) {
      const index = progress.due++;
      const dueMs = startMs + (index * 1000) / ratePerS;
      lateness.record(nowMs - dueMs);
      void dispatch({ options, progress, latency }, index, dueMs);
    }
    await delay(tickMs);
  }
  const elapsedMs = performance.now() - startMs;
  const endMs = performance.now() + drainMs;
  while (progress.outstanding > 0 && performance.now() < endMs) await delay(drainPollMs);
  const { due, done, failed, dropped, firstFailure } = progress;
  return { due, done, failed, dropped, elapsedMs, latency, lateness, firstFailure };
}

/** How many pieces are due once `elapsedMs` have passed; the first is due at the start. */
export function dueBy(elapsedMs: number, ratePerS: number): number {
  return Math.floor((elapsedMs * ratePerS) / 1000) + 1;
}

interface Running {
  readonly options: OpenLoopOptions;
  readonly progress: Progress;
  readonly latency: Latency;
}

async function dispatch(
  { options, progress, latency }: Running,
  index: number,
  dueMs: number,
): Promise<void> {
  if (progress.outstanding >= options.maxOutstanding) {
    progress.dropped++;
    return;
  }
  progress.outstanding++;
  try {
    await options.send(index, dueMs);
    progress.done++;
    latency.record(performance.now() - dueMs);
  } catch (reason) {
    progress.failed++;
    progress.firstFailure ??= messageOf(reason);
  }
  progress.outstanding--;
}

function messageOf(reason: unknown): string {
  return reason instanceof Error ? reason.message : String(reason);
}
