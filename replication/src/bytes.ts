/**
 * Writing and reading of small binary formats: big-endian fixed integers, LEB128 variable ones, and strings and
 * byte arrays with their length in front. The reader checks every length against what is left, so hostile bytes end
 * in a `malformed-record` error and never in a large allocation. Byte arrays that the reader hands out are views: who reads
 * from what will be overwritten copies it first, once and not for each of them.
 */
import { assert, AssertionFailure, ReplicationError } from './errors.ts';

const maxVarintBytes = 8;
/** More than this is given back when a writer begins anew. */
const mostKeptBytes = 64 * 1024;

export class ByteWriter {
  readonly #initialBytes: number;
  #buffer: Buffer;
  #fixed: DataView;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#initialBytes = initialBytes;
    this.#buffer = Buffer.allocUnsafe(initialBytes);
    this.#fixed = fixedOf(this.#buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Begins anew in the same memory: for what is written again and again, and never while it waits. */
  clear(): void {
    this.#length = 0;
    if (this.#buffer.length <= mostKeptBytes) return;
    this.#buffer = Buffer.allocUnsafe(this.#initialBytes);
    this.#fixed = fixedOf(this.#buffer);
  }

  u8(value: number): void {
    this.#reserve(1);
    if (value >>> 0 !== value || value > 0xff) throw new AssertionFailure(`not a byte: ${value}`);
    this.#fixed.setUint8(this.#length, value);
    this.#length += 1;
  }

  u16(value: number): void {
    this.#reserve(2);
    if (value >>> 0 !== value || value > 0xffff) throw new AssertionFailure(`not of 16 bits: ${value}`);
    this.#fixed.setUint16(this.#length, value);
    this.#length += 2;
  }

  u32(value: number): void {
    this.#reserve(4);
    if (value >>> 0 !== value) throw new AssertionFailure(`not of 32 bits: ${value}`);
    this.#fixed.setUint32(this.#length, value);
    this.#length += 4;
  }

  /** Over four bytes that were written before. */
  setU32(at: number, value: number): void {
    assert(at + 4 <= this.#length, 'nothing was written there');
    this.#fixed.setUint32(at, value);
  }

  u64(value: bigint): void {
    this.#reserve(8);
    this.#fixed.setBigUint64(this.#length, value);
    this.#length += 8;
  }

  f64(value: number): void {
    this.#reserve(8);
    this.#fixed.setFloat64(this.#length, value);
    this.#length += 8;
  }

  /** Non-negative safe integer. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) throw new AssertionFailure(`not a varint: ${value}`);
    this.#reserve(maxVarintBytes);
    let rest = value;
    while (rest > 0x7f) {
      this.#buffer[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#buffer[this.#length++] = rest;
  }

  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.raw(value);
  }

  string(value: string): void {
    const byteCount = Buffer.byteLength(value);
    this.varint(byteCount);
    this.#utf8(value, byteCount);
  }

  /** Without its length. */
  utf8(value: string): void {
    this.#utf8(value, Buffer.byteLength(value));
  }

  raw(value: Uint8Array): void {
    this.#reserve(value.length);
    this.#buffer.set(value, this.#length);
    this.#length += value.length;
  }

  /** What was written so far, good until more is. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** A copy of what was written. */
  finish(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  #utf8(value: string, byteCount: number): void {
    this.#reserve(byteCount);
    this.#length += this.#buffer.write(value, this.#length);
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = grown;
    this.#fixed = fixedOf(grown);
  }
}

export class ByteReader {
  readonly #buffer: Buffer;
  readonly #fixed: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    const { buffer, byteOffset, byteLength } = bytes;
    this.#buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(buffer, byteOffset, byteLength);
    this.#fixed = fixedOf(bytes);
  }

  get remaining(): number {
    return this.#buffer.length - this.#offset;
  }

  u8(): number {
    return this.#fixed.getUint8(this.#take(1));
  }

  u32(): number {
    return this.#fixed.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#fixed.getBigUint64(this.#take(8));
  }

  f64(): number {
    return this.#fixed.getFloat64(this.#take(8));
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (let index = 0; index < maxVarintBytes; index++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return this.#safe(value);
      scale *= 0x80;
    }
    throw malformed('a variable integer is longer than 8 bytes');
  }

  /** A view on what is read: good as long as that is. */
  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.#take(length);
    return new Uint8Array(this.#buffer.buffer, this.#buffer.byteOffset + start, length);
  }

  /** No text of ours holds the character U+0000, and no database takes it: what held it could not even be put aside (P4). */
  string(): string {
    const length = this.varint();
    const start = this.#take(length);
    const text = this.#buffer.toString('utf8', start, start + length);
    if (text.includes('\0')) throw malformed('a text holds the character U+0000');
    return text;
  }

  /** Everything must have been read. */
  end(): void {
    if (this.remaining > 0) throw malformed(`${this.remaining} bytes follow the end`);
  }

  #take(byteCount: number): number {
    if (byteCount > this.remaining) {
      throw malformed(`${byteCount} bytes wanted at ${this.#offset}, ${this.remaining} left`);
    }
    const start = this.#offset;
    this.#offset += byteCount;
    return start;
  }

  #safe(value: number): number {
    if (!Number.isSafeInteger(value)) throw malformed('a variable integer is beyond 2^53');
    return value;
  }
}

/** For integers and floats, which it reads and writes without making anything beside the value. */
function fixedOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

export function malformed(detail: string): ReplicationError {
  return new ReplicationError('malformed-record', detail, { retriable: false });
}

/** A version above all that are known is no damage: only a newer program can tell what it says. */
export function unknownVersion(what: string, version: number, newest: number): ReplicationError {
  const detail = `${what} of version ${version}, the newest known is ${newest}`;
  return version > newest
    ? new ReplicationError('newer-format', detail, { retriable: false })
    : malformed(detail);
}
