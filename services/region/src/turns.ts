/**
 * Lets so many pieces of work go on at once as the process has memory for, and the others wait in order of arrival. Who has
 * waited too long is refused with `overloaded`, and nothing was done for them.
 */
import { Problem } from './problem.ts';

interface TurnOptions {
  readonly atOnce: number;
  readonly waitMs: number;
  /** Of which there is too much, in the plural. */
  readonly what: string;
}

export class Turns {
  readonly #options: TurnOptions;
  readonly #waiting = new Set<() => void>();
  #underWay = 0;

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  async take<T>(work: () => Promise<T>): Promise<T> {
    if (this.#underWay < this.#options.atOnce) this.#underWay++;
    else await this.#wait();
    try {
      return await work();
    } finally {
      this.#handOn();
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = (): void => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(begin);
        reject(new Problem('overloaded', `Too many ${this.#options.what} are read at once.`));
      }, this.#options.waitMs);
      this.#waiting.add(begin);
    });
  }

  /** Whoever came first takes the place. */
  #handOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#underWay--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
