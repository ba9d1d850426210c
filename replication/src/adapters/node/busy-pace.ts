/**
 * How far apart the transactions of a busy process begin. Each of them costs the process, Postgres, the log and every
 * peer much the same whatever is in it. So a process with time to spare begins one as soon as it can, and the less it
 * has to spare, the more edits share one: fewer and larger transactions then take less work, and everybody waits less
 * than they would for the processor. Measured by the event loop: the share of the time in which it had something to do.
 */
import { type EventLoopUtilization, performance } from 'node:perf_hooks';

/** Up to this share nobody waits. */
const spareShare = 0.4;
/** Of a process that has no time to spare. */
const longestMs = 20;
/** What is looked at; what was found before counts half. */
const lookMs = 50;

export class BusyPace {
  #last: EventLoopUtilization = performance.eventLoopUtilization();
  #lookedAtMs = performance.now();
  #busyShare = 0;

  /** Milliseconds from the beginning of one transaction to that of the next, from 0 to 20. */
  readonly paceMs = (): number => {
    const nowMs = performance.now();
    if (nowMs - this.#lookedAtMs >= lookMs) this.#look(nowMs);
    return paceOf(this.#busyShare);
  };

  #look(nowMs: number): void {
    const now = performance.eventLoopUtilization();
    this.#busyShare = (this.#busyShare + performance.eventLoopUtilization(now, this.#last).utilization) / 2;
    this.#last = now;
    this.#lookedAtMs = nowMs;
  }
}

/** `busyShare` from 0 to 1. */
export function paceOf(busyShare: number): number {
  return (Math.max(0, busyShare - spareShare) / (1 - spareShare)) * longestMs;
}
