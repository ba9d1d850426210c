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

const quote = 0x22;
const backslash = 0x5c;

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
    while (this.#at < this.#text.length) this.#step(this.#text[this.#at] ?? '');
    return this.#members;
  }

  #step(char: string): void {
    if (char === '"') return this.#skipString();
    if (char === '-' || (char >= '0' && char <= '9')) return this.#number();
    this.#at++;
    if (char === '{' || char === '[') this.#open(char === '[');
    else if (char === '}' || char === ']') this.#frames.pop();
    else if (char === ',') this.#next();
    else if (char === ':') this.#named();
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

  #skipString(): void {
    this.#stringStart = this.#at++;
    while (this.#at < this.#text.length) {
      const code = this.#text.charCodeAt(this.#at++);
      if (code === quote) break;
      if (code === backslash) this.#at++;
    }
    this.#stringEnd = this.#at;
  }

  #number(): void {
    const start = this.#at++;
    while (isNumberPart(this.#text.charCodeAt(this.#at))) this.#at++;
    const literal = this.#text.slice(start, this.#at);
    if (Math.abs(Number(literal)) <= Number.MAX_SAFE_INTEGER) return;
    if (Number.isNaN(Number(literal))) return;
    const field = this.#path();
    throw new Problem(
      'invalid-value',
      `The number at ${field === '' ? 'the top' : field} is beyond ±${Number.MAX_SAFE_INTEGER}, where digits would be lost; send it as a string.`,
      {
        violations: [
          {
            field,
            rule: 'safe-number',
            limit: Number.MAX_SAFE_INTEGER,
            value: literal.slice(0, 40),
          },
        ],
      },
    );
  }

  #path(): string {
    const parts = this.#frames.map((frame) =>
      frame.isArray ? `[${frame.index}]` : `.${this.#text.slice(frame.keyStart + 1, frame.keyEnd - 1)}`,
    );
    return parts.join('').replace(/^\./, '').slice(0, 512);
  }
}

/** Digits, signs, point, exponent; the `NaN` of an index past the end is none. */
function isNumberPart(code: number): boolean {
  return (
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2b ||
    code === 0x2d ||
    code === 0x2e ||
    code === 0x45 ||
    code === 0x65
  );
}
