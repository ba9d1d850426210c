/**
 * What a campaign came to so far, while it goes on: a seed is added when it comes, and is not kept. So neither its
 * memory nor the cost of another look grows with the seeds that have run.
 */
import type { SeedResult } from '../seed-result.ts';
import { type Summary, summaryOf, together } from './summary.ts';

/** Adding up costs the same for one seed and for so many. */
const keptSeeds = 100;

export class RunningSummary {
  #sum: Summary;
  #kept: SeedResult[] = [];

  constructor(before: Summary) {
    this.#sum = before;
  }

  get seeds(): number {
    return this.#sum.seeds + this.#kept.length;
  }

  get summary(): Summary {
    if (this.#kept.length > 0) this.#sum = together(this.#sum, summaryOf(this.#kept));
    this.#kept = [];
    return this.#sum;
  }

  add(result: SeedResult): void {
    if (this.#kept.push(result) >= keptSeeds) void this.summary;
  }
}
