/**
 * JSON values as canonical bytes: equal values have equal bytes, and the first byte says the type and, where it is
 * small, the length. Object members are sorted by their UTF-8 bytes. What JSON cannot hold is refused with a typed
 * error and never altered: `undefined`, NaN, infinities, bigint, symbols, functions, dates and other class instances,
 * cycles (by depth), and strings with a lone surrogate. -0 is kept apart from 0. As for JSON, an array is its items and
 * an object its enumerable members. Member names such as `__proto__` are data: reading defines them as own properties
 * and never touches a prototype. Getters and proxies may run code of anybody; what it throws
 * comes as the cause of a typed error.
 */
import { AssertionFailure, ConflictError, malformed } from '../errors.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
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
const headInteger = 0x04;
const headNegative = 0x05;
const headString = 0x06;
const headArray = 0x07;
const headObject = 0x08;
const headSmallInteger = 0x20;
const headSmallString = 0x40;
const headSmallArray = 0x80;
const headSmallObject = 0x90;
const headsEnd = 0xa0;

const doubles = new Float64Array(1);
const doubleBytes = new Uint8Array(doubles.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Where a value is written, for error messages, and what it may take. */
export interface ValueScope {
  readonly field: string;
  readonly maxDepth: number;
  /** Also stops a small graph that unfolds into a huge tree. */
  readonly maxBytes: number;
}

export function writeValue(writer: ByteWriter, value: unknown, scope: ValueScope): void {
  const start = writer.length;
  try {
    write(writer, value, { scope, depth: 0, end: start + scope.maxBytes });
  } catch (cause) {
    if (cause instanceof ConflictError || cause instanceof AssertionFailure) throw cause;
    const details = { field: scope.field, rule: 'readable', cause };
    throw new ConflictError('invalid-value', 'a part of the value throws when it is read', details);
  }
  if (writer.length > start + scope.maxBytes) throw tooLarge(scope);
}

/** How far the writing has come into a value. */
interface Progress {
  readonly scope: ValueScope;
  readonly depth: number;
  /** Length of the writer that must not be passed. */
  readonly end: number;
}

function write(writer: ByteWriter, value: unknown, progress: Progress): void {
  const { scope, depth, end } = progress;
  if (writer.length > end) throw tooLarge(scope);
  if (value === null) writer.byte(headNull);
  else if (typeof value === 'boolean') writer.byte(value ? headTrue : headFalse);
  else if (typeof value === 'number') writeNumber(writer, value, scope);
  else if (typeof value === 'string') {
    writeText(writer, value, scope);
  } else if (typeof value === 'object') {
    if (depth >= scope.maxDepth) throw tooDeep(scope);
    const inside = { ...progress, depth: depth + 1 };
    if (Array.isArray(value)) writeArray(writer, value, inside);
    else writeObject(writer, value, inside);
  } else throw refused(scope, 'json', value);
}

function writeNumber(writer: ByteWriter, value: number, scope: ValueScope): void {
  if (!Number.isFinite(value)) throw refused(scope, 'finite-number', value);
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) writeDouble(writer, value);
  else if (value < 0) {
    writer.byte(headNegative);
    writer.varint(-value);
  } else if (value < headSmallString - headSmallInteger) writer.byte(headSmallInteger + value);
  else {
    writer.byte(headInteger);
    writer.varint(value);
  }
}

function writeDouble(writer: ByteWriter, value: number): void {
  doubles[0] = value;
  writer.byte(headDouble);
  for (let index = 0; index < 8; index++) writer.byte(doubleBytes[littleEndian ? 7 - index : index] ?? 0);
}

function writeText(writer: ByteWriter, value: string, scope: ValueScope): void {
  const binary = binaryOf(value);
  if (binary === null) throw refused(scope, 'well-formed-unicode', value);
  writeHead(writer, binary.length, { small: headSmallString, smallEnd: headSmallArray, large: headString });
  writer.binary(binary);
}

interface Heads {
  readonly small: number;
  readonly smallEnd: number;
  readonly large: number;
}

function writeHead(writer: ByteWriter, length: number, heads: Heads): void {
  if (length < heads.smallEnd - heads.small) return writer.byte(heads.small + length);
  writer.byte(heads.large);
  writer.varint(length);
}

function writeArray(writer: ByteWriter, items: readonly unknown[], inside: Progress): void {
  const { length } = items;
  if (!Number.isSafeInteger(length)) throw refused(inside.scope, 'array-length', length);
  writeHead(writer, length, { small: headSmallArray, smallEnd: headSmallObject, large: headArray });
  for (let index = 0; index < length; index++) write(writer, items[index], inside);
}

function writeObject(writer: ByteWriter, value: object, inside: Progress): void {
  const { scope } = inside;
  if (!isPlain(value)) throw refused(scope, 'plain-object', value);
  const members = Object.entries(value).map(([name, item]) => ({
    name: binaryOf(name),
    item: item as unknown,
  }));
  members.sort((a, b) => ((a.name ?? '') < (b.name ?? '') ? -1 : 1));
  writeHead(writer, members.length, { small: headSmallObject, smallEnd: headsEnd, large: headObject });
  for (const { name, item } of members) {
    if (name === null) throw refused(scope, 'well-formed-unicode', 'a member name');
    writer.varint(name.length);
    writer.binary(name);
    write(writer, item, inside);
  }
}

/** An object literal of any realm, or one without a prototype; and nothing hidden under symbols. */
export function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const literal = prototype === null || Object.getPrototypeOf(prototype) === null;
  return literal && !Array.isArray(value) && Object.getOwnPropertySymbols(value).length === 0;
}

/** Reads one value; throws `malformed` where the bytes are not the one encoding of a value. */
export function readValue(reader: ByteReader): JsonValue {
  return read(reader, 0);
}

function read(reader: ByteReader, depth: number): JsonValue {
  const head = reader.byte();
  if (head >= headSmallObject && head < headsEnd) return readObject(reader, head - headSmallObject, depth);
  if (head >= headsEnd) throw unknownHead();
  if (head >= headSmallArray) return readArray(reader, head - headSmallArray, depth);
  if (head >= headSmallString) return textOf(reader.binary(head - headSmallString));
  if (head >= headSmallInteger) return head - headSmallInteger;
  switch (head) {
    case headNull:
      return null;
    case headFalse:
      return false;
    case headTrue:
      return true;
    case headDouble:
      return readDouble(reader);
    case headInteger:
      return atLeast(reader.varint(), headSmallString - headSmallInteger);
    case headNegative:
      return -atLeast(reader.varint(), 1);
    case headString:
      return textOf(reader.binary(atLeast(reader.varint(), headSmallArray - headSmallString)));
    case headArray:
      return readArray(reader, atLeast(reader.varint(), headSmallObject - headSmallArray), depth);
    case headObject:
      return readObject(reader, atLeast(reader.varint(), headsEnd - headSmallObject), depth);
    default:
      throw unknownHead();
  }
}

function unknownHead(): ConflictError {
  return new ConflictError('newer-format', 'the value has a type that this version does not know', {
    rule: 'value-type',
  });
}

function atLeast(value: number, least: number): number {
  if (value < least) throw malformed('value not in its shortest form');
  return value;
}

function readDouble(reader: ByteReader): number {
  const start = reader.skip(8);
  for (let index = 0; index < 8; index++) {
    doubleBytes[littleEndian ? 7 - index : index] = reader.bytes[start + index] ?? 0;
  }
  const value = doubles[0] ?? 0;
  const shorter = Number.isSafeInteger(value) && !Object.is(value, -0);
  if (!Number.isFinite(value) || shorter) throw malformed('double');
  return value;
}

function readArray(reader: ByteReader, count: number, depth: number): JsonValue {
  checkNested(reader, count, depth);
  const items: JsonValue[] = [];
  for (let index = 0; index < count; index++) items.push(read(reader, depth + 1));
  return items;
}

function readObject(reader: ByteReader, count: number, depth: number): JsonValue {
  checkNested(reader, count, depth);
  const value: Record<string, JsonValue> = {};
  let last: string | null = null;
  for (let index = 0; index < count; index++) {
    const name = reader.binary(reader.varint());
    if (last !== null && name <= last) throw malformed('members out of order');
    last = name;
    defineMember(value, textOf(name), read(reader, depth + 1));
  }
  return value;
}

function checkNested(reader: ByteReader, count: number, depth: number): void {
  if (count > reader.remaining) throw malformed('count');
  if (depth >= deepestValue) throw malformed('nesting');
}

/** Sets an own property whatever its name is; a plain assignment to `__proto__` would set the prototype. */
export function defineMember<Value>(target: Record<string, Value>, name: string, value: Value): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

/** What to tell, by the rule that was broken. */
const faults = {
  json: 'JSON cannot hold this; null stands for nothing, a bigint or a symbol is stored as a string',
  'finite-number': 'JSON knows neither NaN nor infinity; store null or a string in its place',
  'well-formed-unicode': 'the text holds half a character (a lone surrogate), which UTF-8 cannot store',
  'array-length': 'the array has a length that is no whole number',
  'plain-object':
    'only plain objects and arrays are stored; make a Date a string or a number, a Map an object',
} as const;

function refused(scope: ValueScope, rule: keyof typeof faults, value: unknown): ConflictError {
  const message =
    value === undefined ? 'undefined is no value; store null, or clear the field' : faults[rule];
  return new ConflictError('invalid-value', message, { field: scope.field, rule, value });
}

function tooLarge(scope: ValueScope): ConflictError {
  return new ConflictError('too-large', 'the value takes more bytes than one edit may write', {
    field: scope.field,
    rule: 'value-bytes',
    limit: scope.maxBytes,
  });
}

function tooDeep(scope: ValueScope): ConflictError {
  return new ConflictError('too-deep', `the value nests deeper than ${scope.maxDepth} levels`, {
    field: scope.field,
    rule: 'depth',
    limit: scope.maxDepth,
  });
}
