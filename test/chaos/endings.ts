/**
 * What has to be done at the end of a run, newest first, however it ends: also when the program is told to end. One that
 * fails stops no other; the first failure is told when all are done.
 */
export type Ending = () => unknown;

const signals = ['SIGINT', 'SIGTERM'] as const;

export class Endings {
  readonly #endings: Ending[] = [];
  readonly #onSignal = (): void => {
    const leave = (): never => process.exit(1);
    void this.run().then(leave, leave);
  };

  constructor() {
    for (const signal of signals) process.on(signal, this.#onSignal);
  }

  add(ending: Ending): void {
    this.#endings.push(ending);
  }

  async run(): Promise<void> {
    for (const signal of signals) process.off(signal, this.#onSignal);
    const failures: unknown[] = [];
    for (let end = this.#endings.pop(); end !== undefined; end = this.#endings.pop()) {
      try {
        await end();
      } catch (reason) {
        failures.push(reason);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `the run was not ended: ${String(failures[0])}`);
  }
}
