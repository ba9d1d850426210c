/**
 * Writes the region's beats while this process holds them, and stands by while another does: the shell around
 * `beat-machine.ts`. Trouble with the database never ends the loop and never makes calls pile up; it shows in `state`
 * and `failure` until a beat succeeds again. A hold that arrives after its call was abandoned is released at
 * once, so that no connection is left holding the lock for nobody. Failures that are bugs are not swallowed.
 */
import { ReplicationError } from '../errors.ts';
import type { BeatHold, BeatStore } from '../ports/beat-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { Timer } from '../ports/timer.ts';
import { Trouble } from '../trouble.ts';
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
  readonly logger: Logger;
}

export class BeatLoop {
  readonly #store: BeatLoopOptions['store'];
  readonly #timer: Timer;
  #state: BeatState;
  #hold: BeatHold | null = null;
  /** Names the call in flight; the answer to any other is late and must not be heard. */
  #call = 0;
  #cancel: (() => void) | null = null;
  readonly #trouble: Trouble;
  #released: Promise<void> = Promise.resolve();

  constructor(options: BeatLoopOptions) {
    this.#store = options.store;
    this.#timer = options.timer;
    this.#trouble = new Trouble({
      logger: options.logger,
      fails: 'this region commits no beats; tried again',
      works: 'this region commits beats again',
    });
    this.#state = { kind: 'stopped' };
  }

  get state(): BeatState {
    return this.#state;
  }

  /** What the last call failed with; `null` once a beat succeeded after it. */
  get failure(): ReplicationError | null {
    return this.#trouble.failure;
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
    if (state.kind === 'waiting' && state.reason === 'timed-out') this.#trouble.failed(noAnswer());
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
      // Another process beats, and this one could.
      if (hold === null) this.#trouble.worked();
      this.#step(hold === null ? 'held-elsewhere' : 'won');
    } catch (error) {
      this.#failed(call, error);
    }
  }

  async #beat(call: number): Promise<void> {
    try {
      await this.#hold?.beat();
      if (call !== this.#call) return;
      this.#trouble.worked();
      this.#step('done');
    } catch (error) {
      this.#failed(call, error);
    }
  }

  #failed(call: number, error: unknown): void {
    this.#trouble.failed(error);
    if (call === this.#call) this.#step('failed');
  }

  async #release(hold: BeatHold | null): Promise<void> {
    try {
      await hold?.release();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }
}

function noAnswer(): ReplicationError {
  return new ReplicationError('database-unavailable', 'a beat was not answered in time', { retriable: true });
}
