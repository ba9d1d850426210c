/**
 * What happened in a run, as a running hash and, where somebody wants to read it, as lines. Two runs of one scenario
 * must have equal traces, bit for bit; so every answer of a server, every log line of the engine and every fault goes
 * in, with its moment.
 */
export class Trace {
  #hash = 0x811c9dc5;
  readonly #write: ((line: string) => void) | null;
  readonly #nowMs: () => number;
  readonly #words = new Map<string, number>();

  constructor(nowMs: () => number, write: ((line: string) => void) | null) {
    this.#nowMs = nowMs;
    this.#write = write;
  }

  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** `detail` tells apart what a different run would do here: a size, a count, a position's low bits. */
  note(who: string, what: string, detail = 0): void {
    this.#mix(Math.floor(this.#nowMs() * 4096) | 0);
    this.#mix(this.#word(who));
    this.#mix(this.#word(what));
    this.#mix(detail | 0);
    this.#write?.(`${this.#nowMs().toFixed(3).padStart(12)} ${who} ${what} ${detail}`);
  }

  /** For people only. */
  tell(who: string, text: () => string): void {
    this.#write?.(`${this.#nowMs().toFixed(3).padStart(12)} ${who} ${text()}`);
  }

  #mix(value: number): void {
    this.#hash = Math.imul((this.#hash ^ value) + ((this.#hash >>> 13) | 0), 0x01000193) | 0;
  }

  #word(text: string): number {
    const known = this.#words.get(text);
    if (known !== undefined) return known;
    let hash = 7;
    for (let index = 0; index < text.length; index++)
      hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0;
    this.#words.set(text, hash);
    return hash;
  }
}
