/**
 * Virtual time. Everything that happens in a simulated world is an event in one queue, ordered by its moment and then
 * by when it was asked for. Events fire one by one, and all that one sets off in promises is finished before the next
 * fires: each has a turn of the event loop of its own, between which Node empties its queue of microtasks. So a run
 * depends on nothing but the order of events, and time costs nothing while nobody waits for it.
 */
import { AssertionFailure } from '@isthmus/replication/errors';

export interface Scheduled {
  readonly atMs: number;
  readonly order: number;
  /** `null`: cancelled or fired. */
  fire: (() => void) | null;
}

/** Turns that are asked for at once; asking is what costs. */
const turnsAtOnce = 256;

export class Scheduler {
  #nowMs = 0;
  #order = 0;
  #fired = 0;
  readonly #heap: Scheduled[] = [];
  /** What is due at this very moment; the first one that is left is at `#soonAt`. */
  #soon: Scheduled[] = [];
  #soonAt = 0;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get fired(): number {
    return this.#fired;
  }

  after(delayMs: number, fire: () => void): Scheduled {
    if (!(delayMs >= 0)) throw new AssertionFailure(`a delay of ${delayMs} ms`);
    const scheduled = { atMs: this.#nowMs + delayMs, order: this.#order++, fire };
    if (delayMs === 0) this.#soon.push(scheduled);
    else this.#push(scheduled);
    return scheduled;
  }

  /** Runs what is due up to this moment, which then is now; what `stop` throws ends it. */
  run(untilMs: number, stop: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const turn = (): void => {
        if (isOver) return;
        try {
          stop();
          if (this.#fireNext(untilMs)) return;
          this.#nowMs = Math.max(this.#nowMs, untilMs);
          resolve();
        } catch (reason) {
          reject(reason);
        }
        isOver = true;
      };
      const turns = (): void => {
        if (isOver) return;
        for (let count = 0; count < turnsAtOnce; count++) setImmediate(turn);
        setImmediate(turns);
      };
      turns();
    });
  }

  /** False where nothing is due by then. */
  #fireNext(untilMs: number): boolean {
    for (;;) {
      const next = this.#next(untilMs);
      if (next === null) return false;
      const { fire } = next;
      if (fire === null) continue;
      next.fire = null;
      this.#nowMs = next.atMs;
      this.#fired++;
      fire();
      return true;
    }
  }

  /** Time does not go on while something is due at once, so only the order decides. */
  #next(untilMs: number): Scheduled | null {
    const later = this.#heap[0];
    const soon = this.#soon[this.#soonAt];
    if (soon !== undefined && (later === undefined || isBefore(soon, later))) {
      this.#soonAt++;
      return soon;
    }
    if (this.#soonAt > 0 && soon === undefined) [this.#soon, this.#soonAt] = [[], 0];
    if (later === undefined || later.atMs > untilMs) return null;
    this.#pop();
    return later;
  }

  #push(item: Scheduled): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(item);
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const above = heap[parent];
      if (above === undefined || !isBefore(item, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = item;
  }

  #pop(): void {
    const heap = this.#heap;
    const item = heap.pop();
    if (item === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = heap[left + 1];
      let least = heap[left];
      let at = left;
      if (least === undefined) break;
      if (right !== undefined && isBefore(right, least)) [least, at] = [right, left + 1];
      if (!isBefore(least, item)) break;
      heap[index] = least;
      index = at;
    }
    heap[index] = item;
  }
}

function isBefore(a: Scheduled, b: Scheduled): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
