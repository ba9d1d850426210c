/**
 * A file of JSON lines that a campaign adds to and goes on from. A last line that was cut off in the middle is dropped,
 * at the latest when the next one is added. Any other line that is not what it should be ends the reading with
 * the file, the number of the line and what is wrong, because nobody knows what else is wrong with such a file.
 */
import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs';
import type { z } from 'zod';

export class JsonLinesError extends Error {
  override readonly name = 'JsonLinesError';

  constructor(path: string, line: number, detail: string) {
    super(`${path}, line ${line}: ${detail}`);
  }
}

export interface NumberedLine<T> {
  /** From 1. */
  readonly line: number;
  readonly value: T;
}

export class JsonLines<T> {
  readonly #path: string;
  readonly #schema: z.ZodType<T>;
  #endsWhole = false;

  constructor(path: string, schema: z.ZodType<T>) {
    this.#path = path;
    this.#schema = schema;
  }

  /** Throws `JsonLinesError`. */
  read(): readonly NumberedLine<T>[] {
    return this.#texts().flatMap((text, index, texts) => {
      const line = index + 1;
      if (text === '' || (line === texts.length && !isJson(text))) return [];
      return [{ line, value: this.#parse(text, line) }];
    });
  }

  add(value: T): void {
    if (!this.#endsWhole) this.#endWhole();
    this.#endsWhole = true;
    appendFileSync(this.#path, `${JSON.stringify(value)}\n`);
  }

  #texts(): readonly string[] {
    return existsSync(this.#path) ? readFileSync(this.#path, 'utf8').split('\n') : [];
  }

  /** What is behind the last end of a line would swallow the line that is added. */
  #endWhole(): void {
    const texts = this.#texts();
    const rest = texts.at(-1) ?? '';
    if (rest === '') return;
    if (isJson(rest)) return appendFileSync(this.#path, '\n');
    const whole = texts.slice(0, -1).map((text) => `${text}\n`);
    truncateSync(this.#path, Buffer.byteLength(whole.join('')));
  }

  #parse(text: string, line: number): T {
    const parsed = this.#schema.safeParse(this.#json(text, line));
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    throw new JsonLinesError(this.#path, line, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }

  #json(text: string, line: number): unknown {
    try {
      return JSON.parse(text);
    } catch (reason) {
      if (reason instanceof SyntaxError) throw new JsonLinesError(this.#path, line, reason.message);
      throw reason;
    }
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (reason) {
    if (reason instanceof SyntaxError) return false;
    throw reason;
  }
}
