/**
 * The results of a campaign as JSON lines, one for each seed, so that a campaign that was interrupted goes on where it
 * was. A line that was cut off in the middle is dropped, and its seed runs again. Each line says of which engine it is,
 * and those of another one count for nothing.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { SeedResult } from '../seed-result.ts';

interface Line extends SeedResult {
  readonly commit: string;
}

export class ResultsFile {
  readonly #path: string | null;
  readonly #commit: string;

  constructor(path: string | null, commit: string) {
    this.#path = path;
    this.#commit = commit;
  }

  read(): readonly SeedResult[] {
    if (this.#path === null || !existsSync(this.#path)) return [];
    return readFileSync(this.#path, 'utf8')
      .split('\n')
      .flatMap(parse)
      .filter(({ commit }) => commit === this.#commit);
  }

  add(result: SeedResult): void {
    if (this.#path === null) return;
    const line: Line = { ...result, commit: this.#commit };
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }
}

function parse(line: string): readonly Line[] {
  try {
    const parsed: Line = JSON.parse(line);
    return [parsed];
  } catch (reason) {
    if (reason instanceof SyntaxError) return [];
    throw reason;
  }
}
