/**
 * Virtual time. Everything that happens in a simulated world is an event in one queue, ordered by its moment and then
 * by when it was asked for. Events fire one by one, and all that one sets off in promises is finished before the next
 * fires: each has a turn of the event loop of its own, between which Node empties its queue of microtasks. So a run
 * depends on nothing but the order of events, and time costs nothing while nobody waits for it.
 */
import { assert } from '@isthmus/replication/errors';

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

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Events so far. */
  get fired(): number {
    return this.#fired;
  }

  after(delayMs: number, fire: () => void): Scheduled {
    assert(delayMs >= 0, `a delay of ${delayMs} ms`);
    const scheduled = { atMs: this.#nowMs + delayMs, order: this.#order++, fire };
    this.#push(scheduled);
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
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) return false;
      this.#pop();
      const { fire } = next;
      if (fire === null) continue;
      next.fire = null;
      this.#nowMs = next.atMs;
      this.#fired++;
      fire();
      return true;
    }
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
