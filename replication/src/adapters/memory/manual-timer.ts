/**
 * A timer whose time passes only when it is told to, for simulations. What is due fires in order of its moment, and
 * everything that a firing sets off without waiting for more time is finished before the next one fires.
 */
import { setImmediate } from 'node:timers/promises';
import type { Timer } from '../../ports/timer.ts';

interface Pending {
  readonly atMs: number;
  readonly fire: () => void;
}

export class ManualTimer implements Timer {
  #nowMs = 0;
  readonly #pending = new Set<Pending>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, fire: () => void): () => void {
    const pending = { atMs: this.#nowMs + delayMs, fire };
    this.#pending.add(pending);
    return () => this.#pending.delete(pending);
  }

  turn(fire: () => void): void {
    this.after(0, fire);
  }

  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    await setImmediate();
    for (let due = this.#next(untilMs); due !== null; due = this.#next(untilMs)) {
      this.#pending.delete(due);
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      due.fire();
      await setImmediate();
    }
    this.#nowMs = untilMs;
  }

  /** Passes time without firing anything, as a stopped process would see it. */
  pause(forMs: number): void {
    this.#nowMs += forMs;
  }

  #next(untilMs: number): Pending | null {
    let next: Pending | null = null;
    for (const pending of this.#pending)
      if (pending.atMs <= untilMs && (next === null || pending.atMs < next.atMs)) next = pending;
    return next;
  }
}
