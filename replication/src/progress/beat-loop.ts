/**
 * Writes the region's beats while this process holds them, and stands by while another does: the shell around
 * `beat-machine.ts`. Trouble with the database never ends the loop and never makes calls pile up; it shows in `state`
 * and `lastFailure` until a beat succeeds again. A hold that arrives after its call was abandoned is released at
 * once, so that no connection is left holding the lock for nobody. Failures that are bugs are not swallowed.
 */
import { AssertionFailure } from '../errors.ts';
import type { BeatHold, BeatStore } from '../ports/beat-store.ts';
import type { Timer } from '../ports/timer.ts';
import {
  type BeatEffect,
  type BeatInput,
  type BeatState,
  initialBeatState,
  stepBeat,
} from './beat-machine.ts';

export interface BeatLoopOptions {
  readonly store: Pick<BeatStore, 'tryHold'>;
  readonly timer: Timer;
}

export class BeatLoop {
  readonly #store: BeatLoopOptions['store'];
  readonly #timer: Timer;
  #state: BeatState;
  #hold: BeatHold | null = null;
  /** Names the call in flight; the answer to any other is late and must not be heard. */
  #call = 0;
  #cancel: (() => void) | null = null;
  #lastFailure: unknown = null;
  #released: Promise<void> = Promise.resolve();

  constructor(options: BeatLoopOptions) {
    this.#store = options.store;
    this.#timer = options.timer;
    this.#state = { kind: 'stopped' };
  }

  get state(): BeatState {
    return this.#state;
  }

  /** What the last call failed with; `null` once a beat succeeded after it. */
  get lastFailure(): unknown {
    return this.#lastFailure;
  }

  start(): void {
    if (this.#state.kind !== 'stopped') return;
    this.#state = initialBeatState(this.#timer.monotonicMs());
    this.#step('time');
  }

  /** Resolves when the hold is given back; a caller with a deadline races it. */
  stop(): Promise<void> {
    this.#step('stop');
    return this.#released;
  }

  #step(input: BeatInput): void {
    const nowMs = this.#timer.monotonicMs();
    const { state, effect } = stepBeat(this.#state, input, nowMs);
    this.#state = state;
    this.#perform(effect);
    this.#cancel?.();
    this.#cancel = null;
    if (state.kind === 'stopped') return;
    const delayMs = Math.max(0, state.untilMs - nowMs);
    this.#cancel = this.#timer.after(delayMs, () => this.#step('time'));
  }

  #perform(effect: BeatEffect): void {
    switch (effect) {
      case 'seek':
        void this.#seek(++this.#call);
        return;
      case 'beat':
        void this.#beat(++this.#call);
        return;
      case 'release':
        this.#call++;
        this.#released = this.#release(this.#hold);
        this.#hold = null;
        return;
      case 'none':
        return;
    }
  }

  async #seek(call: number): Promise<void> {
    try {
      const hold = await this.#store.tryHold();
      if (call !== this.#call) return await this.#release(hold);
      this.#hold = hold;
      this.#step(hold === null ? 'held-elsewhere' : 'won');
    } catch (error) {
      this.#failed(call, error);
    }
  }

  async #beat(call: number): Promise<void> {
    try {
      await this.#hold?.beat();
      if (call !== this.#call) return;
      this.#lastFailure = null;
      this.#step('done');
    } catch (error) {
      this.#failed(call, error);
    }
  }

  #failed(call: number, error: unknown): void {
    if (error instanceof AssertionFailure) throw error;
    this.#lastFailure = error;
    if (call === this.#call) this.#step('failed');
  }

  async #release(hold: BeatHold | null): Promise<void> {
    try {
      await hold?.release();
    } catch (error) {
      if (error instanceof AssertionFailure) throw error;
      this.#lastFailure = error;
    }
  }
}
