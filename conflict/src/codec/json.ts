/**
 * The values of registers: JSON in the canonical form of RFC 8785 (keys by UTF-16 units, numbers and strings as
 * ECMAScript writes them). Equal values are equal bytes. What JSON cannot hold is refused by name and never
 * dropped: NaN, infinities, undefined, functions, symbols, bigint, lone surrogates, and objects that are not
 * plain. -0 is stored as 0. Work and memory are bounded by the byte limit even for graphs that share parts.
 */
import { ConflictError, describe, malformed } from '../errors.ts';
import { decodeUtf8, encodeUtf8, hasLoneSurrogate } from './utf8.ts';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export const maxJsonDepth = 32;

interface Budget {
  readonly field: string;
  readonly limitBytes: number;
  used: number;
}

export function encodeJson(value: unknown, field: string, limitBytes: number): Uint8Array {
  const bytes = encodeUtf8(write(value, { field, limitBytes, used: 0 }, 0));
  if (bytes.length > limitBytes) throw tooLarge(field, limitBytes, bytes.length);
  return bytes;
}

export function decodeJson(bytes: Uint8Array): JsonValue {
  const text = decodeUtf8(bytes, 0, bytes.length);
  if (text.length > 2 * maxJsonDepth && depthOf(text) > maxJsonDepth) throw malformed('JSON is too deep');
  try {
    // JSON.parse makes own properties of every key, `__proto__` too, and returns nothing but JSON.
    const value: JsonValue = JSON.parse(text);
    return value;
  } catch {
    throw malformed('a register does not hold JSON');
  }
}

/** Refuses JSON that this package would have written otherwise. */
export function checkJson(bytes: Uint8Array): void {
  const value = decodeJson(bytes);
  const again = encodeJson(value, '', Number.MAX_SAFE_INTEGER);
  if (again.length !== bytes.length || again.some((byte, index) => byte !== bytes[index])) {
    throw malformed('JSON is not canonical');
  }
}

function write(value: unknown, budget: Budget, depth: number): string {
  if (typeof value === 'string') return quote(value, budget);
  if (value === null || typeof value === 'boolean') return literal(value, budget);
  if (typeof value === 'number' && Number.isFinite(value)) return literal(value, budget);
  if (typeof value !== 'object' || !isPlain(value)) throw invalid(budget, 'not a JSON value', value);
  if (depth >= maxJsonDepth) {
    throw new ConflictError('too-deep', { field: budget.field, rule: 'JSON nesting', limit: maxJsonDepth });
  }
  return Array.isArray(value) ? list(value, budget, depth + 1) : members(value, budget, depth + 1);
}

function list(value: readonly unknown[], budget: Budget, depth: number): string {
  spend(budget, 2 + Math.max(0, value.length - 1));
  const parts: string[] = [];
  for (let index = 0; index < value.length; index += 1) parts.push(write(value[index], budget, depth));
  return `[${parts.join(',')}]`;
}

function members(value: object, budget: Budget, depth: number): string {
  if (Object.getOwnPropertySymbols(value).length > 0) throw invalid(budget, 'a key is a symbol', value);
  // Sorting compares UTF-16 units, as the canonical form wants.
  const entries = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  spend(budget, 2 + Math.max(0, 2 * entries.length - 1));
  const parts = entries.map(([key, member]) => `${quote(key, budget)}:${write(member, budget, depth)}`);
  return `{${parts.join(',')}}`;
}

function quote(value: string, budget: Budget): string {
  if (value.length > budget.limitBytes) throw tooLarge(budget.field, budget.limitBytes, value.length);
  if (hasLoneSurrogate(value)) throw invalid(budget, 'text has a lone surrogate', 'a lone surrogate');
  const quoted = JSON.stringify(value);
  spend(budget, quoted.length);
  return quoted;
}

function literal(value: null | boolean | number, budget: Budget): string {
  const written = String(value);
  spend(budget, written.length);
  return written;
}

/** Counts units as they are made, so that a small graph which unfolds without end is stopped early. */
function spend(budget: Budget, units: number): void {
  budget.used += units;
  if (budget.used > budget.limitBytes) throw tooLarge(budget.field, budget.limitBytes, budget.used);
}

/** True for arrays and for objects without a class, of any realm. */
export function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || (typeof prototype === 'object' && Object.getPrototypeOf(prototype) === null);
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let index = 0; index < json.length; index += 1) {
    const unit = json[index];
    if (quoted && unit === '\\') index += 1;
    else if (unit === '"') quoted = !quoted;
    else if (!quoted && (unit === '[' || unit === '{')) deepest = Math.max(deepest, (depth += 1));
    else if (!quoted && (unit === ']' || unit === '}')) depth -= 1;
  }
  return deepest;
}

function invalid(budget: Budget, rule: string, value: unknown): ConflictError {
  return new ConflictError('invalid-value', { field: budget.field, rule, value: describe(value) });
}

function tooLarge(field: string, limit: number, value: number): ConflictError {
  return new ConflictError('too-large', { field, rule: 'bytes of one value', limit, value });
}
