/**
 * JSON values as canonical bytes: equal values have equal bytes, and the first byte says the type and, where it is
 * small, the length. Object members are sorted by their UTF-8 bytes. What JSON cannot hold is refused with a typed
 * error and never altered: `undefined`, NaN, infinities, bigint, symbols, functions, dates and other class instances,
 * cycles (by depth), and strings with a lone surrogate. -0 is kept apart from 0. As for JSON, an array is its items and
 * an object its enumerable members. Member names such as `__proto__` are data: reading makes own members of them
 * and never touches a prototype. Getters and proxies may run code of anybody; what it throws
 * comes as the cause of a typed error.
 */
import { AssertionFailure, ConflictError } from '../errors.ts';
import { check, refusal } from '../refusal.ts';
import { isObject } from '../arguments.ts';
import { beginReading, checkForm, readBinary, readByte, readNumber, remaining } from './byte-reader.ts';
import { binaryOfBytes } from './bytes.ts';
import { deepestValue } from './format.ts';
import { binaryOf, textOf } from './utf8.ts';
import { sized, varint } from './varint.ts';

/** A value of a register. Numbers are finite doubles; -0 is kept. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [member: string]: JsonValue };

const headNull = 0x00;
const headFalse = 0x01;
export const headTrue = 0x02;
export const headDouble = 0x03;
/** Heads that a number follows: the value, or how long it is. */
export const headInteger = 0x04;
export const headNegative = 0x05;
export const headText = 0x06;
const headArray = 0x07;
const headObject = 0x08;
/** From head 4 upwards: heads that have a small number within themselves, and from which number on another follows. */
export const smallHeads = [0x20, 0xff, 0x40, 0x80, 0x90];
export const leastNumbers = [0x20, 1, 0x40, 0x10, 0x10];
const firstSmall = 0x20;
const headsEnd = 0xa0;

/** The one double that is on its way in or out. */
const doubleBytes = new Uint8Array(8);
const double = new DataView(doubleBytes.buffer);

/** Where a value is written, for error messages. */
export interface ValueTarget {
  readonly label: string;
  /** Throws `invalid-value` where a rule is broken. */
  check(isKept: boolean, rule: string, value: unknown): asserts isKept;
}

/** Where a value is written, and what it may take. */
export interface ValueScope {
  readonly at: ValueTarget;
  readonly maxDepth: number;
  /** Also stops a small graph that unfolds into a huge tree. */
  readonly maxBytes: number;
}

/** What may be read back. */
export function anyValueAt(at: ValueTarget): ValueScope {
  return { at, maxDepth: deepestValue, maxBytes: Infinity };
}

/** How far the writing has come. */
interface Writing extends ValueScope {
  written: string;
}

/** The bytes of a value as a binary string. */
export function binaryOfValue(value: unknown, { at, maxDepth, maxBytes }: ValueScope): string {
  const writing = { at, maxDepth, maxBytes, written: '' };
  try {
    write(value, 0, writing);
  } catch (cause) {
    if (cause instanceof ConflictError || cause instanceof AssertionFailure) throw cause;
    throw refusal('invalid-value', { field: at.label, rule: 'readable', cause });
  }
  return writing.written;
}

function write(value: unknown, depth: number, to: Writing): void {
  const { maxDepth, maxBytes } = to;
  const at: ValueTarget = to.at;
  if (value === null) to.written += varint(headNull);
  else if (typeof value === 'boolean') to.written += varint(value ? headTrue : headFalse);
  else if (typeof value === 'number') to.written += binaryOfNumber(value, at);
  else if (typeof value === 'string') {
    const binary = wellFormed(value, at);
    to.written += headed(headText, binary.length) + binary;
  } else {
    at.check(isObject(value), 'json', value);
    if (depth >= maxDepth) throw refusal('too-deep', { field: at.label, rule: 'depth', limit: maxDepth });
    if (Array.isArray(value)) writeArray(value, depth + 1, to);
    else writeObject(value, depth + 1, to);
  }
  if (to.written.length > maxBytes)
    throw refusal('too-large', { field: at.label, rule: 'value-bytes', limit: maxBytes });
}

function binaryOfNumber(value: number, at: ValueTarget): string {
  at.check(Number.isFinite(value), 'finite-number', value);
  if (isShort(value)) return headed(value < 0 ? headNegative : headInteger, Math.abs(value));
  double.setFloat64(0, value);
  return String.fromCharCode(headDouble) + binaryOfBytes(doubleBytes);
}

/** Whether a number is written as an integer. */
export function isShort(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function wellFormed(value: string, at: ValueTarget): string {
  const binary = binaryOf(value);
  at.check(binary !== null, 'well-formed-unicode', value);
  return binary;
}

/** A head, and the number that follows it or is within it. */
function headed(head: number, number: number): string {
  const kind = head - headInteger;
  if (number < (leastNumbers[kind] ?? 0)) return String.fromCharCode((smallHeads[kind] ?? 0) + number);
  return varint(head) + varint(number);
}

function writeArray(items: readonly unknown[], depth: number, to: Writing): void {
  const { length } = items;
  to.at.check(Number.isSafeInteger(length), 'array-length', length);
  to.written += headed(headArray, length);
  for (let index = 0; index < length; index++) write(items[index], depth, to);
}

function writeObject(value: object, depth: number, to: Writing): void {
  const at: ValueTarget = to.at;
  at.check(isPlain(value), 'plain-object', value);
  const members = Object.entries(value).map(([name, item]) => [wellFormed(name, at), item] as const);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  to.written += headed(headObject, members.length);
  for (const [name, item] of members) {
    to.written += sized(name);
    write(item, depth, to);
  }
}

/** An object literal of any realm, or one without a prototype; and nothing hidden under symbols. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const literal = prototype === null || Object.getPrototypeOf(prototype) === null;
  return literal && !Array.isArray(value) && Object.getOwnPropertySymbols(value).length === 0;
}

export function isMembers(value: unknown): value is Record<string, unknown> {
  return isObject(value) && isPlain(value);
}

/** Reads `binary` from `offset` on as one value. */
export function readWhole(binary: string, offset: number): JsonValue {
  beginReading(binary, offset);
  const value = readValue();
  checkForm(remaining() === 0);
  return value;
}

/** Reads one value; throws `malformed` where the bytes are not the one encoding of a value. */
export function readValue(depth = 0): JsonValue {
  const first = readByte();
  if (first <= headTrue) return first === headNull ? null : first === headTrue;
  if (first === headDouble) return readDouble();
  const isSmall = first >= firstSmall;
  const kind = isSmall ? smallHeads.findLastIndex((head) => head <= first) : first - headInteger;
  check(first < headsEnd && kind < smallHeads.length, 'newer-format', { rule: 'value-type' });
  const number = isSmall ? first - (smallHeads[kind] ?? 0) : readNumber();
  checkForm(isSmall || number >= (leastNumbers[kind] ?? 0));
  return readKind(kind + headInteger, number, depth);
}

function readKind(head: number, number: number, depth: number): JsonValue {
  if (head === headInteger) return number;
  if (head === headNegative) return -number;
  if (head === headText) return textOf(readBinary(number));
  checkForm(number <= remaining());
  checkForm(depth < deepestValue);
  if (head === headArray) return listOf(number, () => readValue(depth + 1));
  let last: string | undefined;
  const members = listOf(number, () => {
    const name = readBinary(readNumber());
    checkForm(last === undefined || name > last);
    last = name;
    return [textOf(name), readValue(depth + 1)] as const;
  });
  // Whatever a name is, this makes a member of it; an assignment to `__proto__` would set the prototype.
  return Object.fromEntries(members);
}

/** Grown item by item: a count is only a claim, and room that is made for it at each depth would multiply. */
function listOf<Item>(count: number, read: () => Item): readonly Item[] {
  const items: Item[] = [];
  while (items.length < count) items.push(read());
  return items;
}

function readDouble(): number {
  for (let at = 0; at < 8; at++) doubleBytes[at] = readByte();
  const value = double.getFloat64(0);
  checkForm(Number.isFinite(value) && !isShort(value));
  return value;
}
