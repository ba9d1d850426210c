/**
 * Virtual time of the simulator that goes on by itself, so that a suite which knows nothing of it waits for an answer as
 * it waits for a real server's.
 */
import { Scheduler } from '../simulation/scheduler.ts';
import type { ProcessWorld } from '../simulation/sim-process.ts';
import { Trace } from '../simulation/trace.ts';

/** Between which everything else has its turn. */
const stepMs = 1;

export class PassingTime {
  readonly scheduler = new Scheduler();
  readonly world: ProcessWorld;
  #isOver = false;
  readonly #passing: Promise<void>;

  constructor() {
    const { scheduler } = this;
    const trace = new Trace(() => scheduler.nowMs, null);
    this.world = { scheduler, trace, failpoint: () => undefined };
    this.#passing = this.#pass();
  }

  end(): Promise<void> {
    this.#isOver = true;
    return this.#passing;
  }

  async #pass(): Promise<void> {
    while (!this.#isOver) await this.scheduler.run(this.scheduler.nowMs + stepMs, () => undefined);
  }
}
