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
import {
  beginReading,
  checkForm,
  readBinary,
  readByte,
  readNumber,
  readView,
  remaining,
} from './byte-reader.ts';
import {
  binaryWritten,
  writeBinary,
  writeByte,
  writeBytes,
  writeNumber,
  writeSized,
  writtenLength,
} from './byte-writer.ts';
import { deepestValue } from './format.ts';
import { binaryOf, textOf } from './utf8.ts';

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
const headTrue = 0x02;
const headDouble = 0x03;
/** Heads that a number follows: the value, or how long it is. */
const headInteger = 0x04;
const headNegative = 0x05;
const headText = 0x06;
const headArray = 0x07;
const headObject = 0x08;
/** From head 4 upwards: heads that have a small number within themselves, and from which number on another follows. */
const smallHeads = [0x20, 0xff, 0x40, 0x80, 0x90];
const leastNumbers = [0x20, 1, 0x40, 0x10, 0x10];
const firstSmall = 0x20;
const headsEnd = 0xa0;

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

/** The bytes of a value as a binary string. */
export function binaryOfValue(value: unknown, scope: ValueScope): string {
  return binaryWritten(() => writeValue(value, scope));
}

export function writeValue(value: unknown, { at, maxDepth, maxBytes }: ValueScope): void {
  try {
    write(value, { at, maxDepth, maxBytes, depth: 0, end: writtenLength() + maxBytes });
  } catch (cause) {
    if (cause instanceof ConflictError || cause instanceof AssertionFailure) throw cause;
    throw refusal('invalid-value', { field: at.label, rule: 'readable', cause });
  }
}

/** How far the writing has come into a value. */
interface Progress extends ValueScope {
  readonly depth: number;
  /** Length of the writer that must not be passed. */
  readonly end: number;
}

function write(value: unknown, progress: Progress): void {
  const { at, depth, maxDepth, maxBytes: limit, end } = progress;
  if (value === null) writeByte(headNull);
  else if (typeof value === 'boolean') writeByte(value ? headTrue : headFalse);
  else if (typeof value === 'number') writeDecimal(value, at);
  else if (typeof value === 'string') {
    const binary = wellFormed(value, at);
    writeHead(headText, binary.length);
    writeBinary(binary);
  } else {
    progress.at.check(isObject(value), 'json', value);
    if (depth >= maxDepth) throw refusal('too-deep', { field: at.label, rule: 'depth', limit: maxDepth });
    const inside = { ...progress, depth: depth + 1 };
    if (Array.isArray(value)) writeArray(value, inside);
    else writeObject(value, inside);
  }
  if (writtenLength() > end) throw refusal('too-large', { field: at.label, rule: 'value-bytes', limit });
}

function writeDecimal(value: number, at: ValueTarget): void {
  at.check(Number.isFinite(value), 'finite-number', value);
  if (isShort(value)) return writeHead(value < 0 ? headNegative : headInteger, Math.abs(value));
  const double = new DataView(new ArrayBuffer(8));
  double.setFloat64(0, value);
  writeByte(headDouble);
  writeBytes(new Uint8Array(double.buffer));
}

/** Whether a number is written as an integer. */
function isShort(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0);
}

function wellFormed(value: string, at: ValueTarget): string {
  const binary = binaryOf(value);
  at.check(binary !== null, 'well-formed-unicode', value);
  return binary;
}

function writeHead(head: number, number: number): void {
  const kind = head - headInteger;
  if (number < (leastNumbers[kind] ?? 0)) return writeByte((smallHeads[kind] ?? 0) + number);
  writeByte(head);
  writeNumber(number);
}

function writeArray(items: readonly unknown[], inside: Progress): void {
  const { length } = items;
  inside.at.check(Number.isSafeInteger(length), 'array-length', length);
  writeHead(headArray, length);
  for (let index = 0; index < length; index++) write(items[index], inside);
}

function writeObject(value: object, inside: Progress): void {
  const { at } = inside;
  inside.at.check(isPlain(value), 'plain-object', value);
  const members = Object.entries(value).map(([name, item]) => [wellFormed(name, at), item] as const);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  writeHead(headObject, members.length);
  for (const [name, item] of members) {
    writeSized(name);
    write(item, inside);
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

/** Reads bytes from `offset` on as one value. */
export function readWhole(bytes: Uint8Array, offset: number): JsonValue {
  beginReading(bytes, offset);
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
  if (head === headArray) return Array.from({ length: number }, () => readValue(depth + 1));
  let last = '';
  const members = Array.from({ length: number }, (_, index) => {
    const name = readBinary(readNumber());
    checkForm(index === 0 || name > last);
    last = name;
    return [textOf(name), readValue(depth + 1)] as const;
  });
  // Whatever a name is, this makes a member of it; an assignment to `__proto__` would set the prototype.
  return Object.fromEntries(members);
}

function readDouble(): number {
  const { buffer, byteOffset } = readView(8);
  const value = new DataView(buffer, byteOffset).getFloat64(0);
  checkForm(Number.isFinite(value) && !isShort(value));
  return value;
}
