/**
 * The results of a campaign as JSON lines, one for each seed, so that a campaign that was interrupted goes on where it
 * was. A line that was cut off in the middle is dropped, and its seed runs again.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { SeedResult } from './seed-result.ts';

export class ResultsFile {
  readonly #path: string | null;

  constructor(path: string | null) {
    this.#path = path;
  }

  read(): readonly SeedResult[] {
    if (this.#path === null || !existsSync(this.#path)) return [];
    return readFileSync(this.#path, 'utf8').split('\n').flatMap(parse);
  }

  add(result: SeedResult): void {
    if (this.#path !== null) appendFileSync(this.#path, `${JSON.stringify(result)}\n`);
  }
}

function parse(line: string): readonly SeedResult[] {
  try {
    const result: SeedResult = JSON.parse(line);
    return [result];
  } catch (reason) {
    if (reason instanceof SyntaxError) return [];
    throw reason;
  }
}
