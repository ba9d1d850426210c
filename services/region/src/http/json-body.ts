/**
 * Bodies, from bytes to a JSON value, with every bound checked before anything is built. One pass over the text, with
 * no recursion, refuses what is nested too deeply, what has too many values and numbers that would lose digits; only
 * then does the engine's own parser run. Names such as `__proto__` come out as plain own members, so whoever walks
 * the value must read entries and never assign by a name from it.
 */
import { Problem } from '../problem.ts';

export const maxBodyBytes = 1024 * 1024;
export const maxJsonDepth = 32;
export const maxJsonValues = 100_000;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Throws `Problem`: `malformed-json`, `too-deep`, `body-too-large` or `invalid-value`. */
export function parseJsonBody(bytes: Uint8Array): unknown {
  const text = decode(bytes);
  const memberCount = new Scan(text).run();
  const value = parse(text);
  if (countMembers(value) < memberCount)
    throw new Problem('malformed-json', 'An object of the body names one member twice.');
  return value;
}

function decode(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (error) {
    throw new Problem('malformed-json', 'The body is not valid UTF-8.', {
      cause: error,
    });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = text.trim() === '' ? 'The body is empty.' : 'The body is not well-formed JSON.';
    throw new Problem('malformed-json', detail, { cause: error });
  }
}

/** Members of all objects in the value; its depth is bounded by the scan. */
function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const isArray = Array.isArray(value);
  let count = 0;
  for (const member of Object.values(value)) {
    count += (isArray ? 0 : 1) + countMembers(member);
  }
  return count;
}

/** An array or object that is open at the scan's place; enough to name the path of a number. */
interface Frame {
  readonly isArray: boolean;
  index: number;
  keyStart: number;
  keyEnd: number;
}

const codes = {
  quote: 0x22,
  plus: 0x2b,
  comma: 0x2c,
  minus: 0x2d,
  point: 0x2e,
  colon: 0x3a,
  exponent: 0x45,
  openArray: 0x5b,
  backslash: 0x5c,
  closeArray: 0x5d,
  smallExponent: 0x65,
  openObject: 0x7b,
  closeObject: 0x7d,
} as const;

/** Counts and bounds; whether the text is JSON at all is left to the parser. */
class Scan {
  readonly #text: string;
  readonly #frames: Frame[] = [];
  #at = 0;
  #values = 1;
  #members = 0;
  #stringStart = 0;
  #stringEnd = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Returns the number of members that objects name. */
  run(): number {
    while (this.#at < this.#text.length) this.#step(this.#text.charCodeAt(this.#at));
    return this.#members;
  }

  #step(code: number): void {
    if (code === codes.quote) return this.#skipString();
    if (code === codes.minus || isDigit(code)) return this.#number();
    this.#at++;
    if (code === codes.openObject || code === codes.openArray) this.#open(code === codes.openArray);
    else if (code === codes.closeObject || code === codes.closeArray) this.#frames.pop();
    else if (code === codes.comma) this.#next();
    else if (code === codes.colon) this.#named();
  }

  #open(isArray: boolean): void {
    this.#countValue();
    this.#frames.push({ isArray, index: 0, keyStart: 0, keyEnd: 0 });
    if (this.#frames.length <= maxJsonDepth) return;
    throw new Problem('too-deep', `The body nests more than ${maxJsonDepth} arrays and objects.`, {
      violations: [
        {
          field: '',
          rule: 'max-depth',
          limit: maxJsonDepth,
          value: this.#frames.length,
        },
      ],
    });
  }

  #next(): void {
    this.#countValue();
    const frame = this.#frames.at(-1);
    if (frame !== undefined) frame.index++;
  }

  #countValue(): void {
    this.#values++;
    if (this.#values <= maxJsonValues) return;
    throw new Problem('body-too-large', `The body has more than ${maxJsonValues} values.`, {
      violations: [
        {
          field: '',
          rule: 'max-values',
          limit: maxJsonValues,
          value: this.#values,
        },
      ],
    });
  }

  #named(): void {
    this.#members++;
    const frame = this.#frames.at(-1);
    if (frame === undefined) return;
    frame.keyStart = this.#stringStart;
    frame.keyEnd = this.#stringEnd;
  }

  /** To the next quote that an even number of backslashes stands before. */
  #skipString(): void {
    this.#stringStart = this.#at;
    do {
      const end = this.#text.indexOf('"', this.#at + 1);
      this.#at = end === -1 ? this.#text.length : end;
    } while (this.#at < this.#text.length && this.#isEscaped());
    this.#at++;
    this.#stringEnd = this.#at;
  }

  #isEscaped(): boolean {
    let start = this.#at;
    while (this.#text.charCodeAt(start - 1) === codes.backslash) start--;
    return (this.#at - start) % 2 === 1;
  }

  #number(): void {
    const start = this.#at++;
    while (isNumberPart(this.#text.charCodeAt(this.#at))) this.#at++;
    const literal = this.#text.slice(start, this.#at);
    const value = Number(literal);
    if (Math.abs(value) <= Number.MAX_SAFE_INTEGER || Number.isNaN(value)) return;
    const limit = Number.isFinite(value) ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE;
    if (Number.isFinite(value) && keepsDigits(literal, value)) return;
    const field = this.#path();
    const loss = Number.isFinite(value) ? 'its digits would be lost' : 'no number is that large';
    throw new Problem(
      'invalid-value',
      `The number at ${field === '' ? 'the top' : field} is beyond ±${limit}: ${loss}; send it as a string.`,
      { violations: [{ field, rule: 'exact-number', limit, value: literal.slice(0, 40) }] },
    );
  }

  #path(): string {
    const parts = this.#frames.map((frame) =>
      frame.isArray ? `[${frame.index}]` : `.${this.#text.slice(frame.keyStart + 1, frame.keyEnd - 1)}`,
    );
    return parts.join('').replace(/^\./, '').slice(0, 512);
  }
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

const numberParts: ReadonlySet<number> = new Set([
  codes.plus,
  codes.minus,
  codes.point,
  codes.exponent,
  codes.smallExponent,
]);

/** Digits, signs, point, exponent; the `NaN` of an index past the end is none. */
function isNumberPart(code: number): boolean {
  return isDigit(code) || numberParts.has(code);
}

/** A finite double has at most 309 digits before its point, so this stays small. */
function keepsDigits(literal: string, value: number): boolean {
  return !/^-?\d+$/.test(literal) || BigInt(literal) === BigInt(value);
}
