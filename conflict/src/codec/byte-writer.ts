/**
 * A growing buffer for everything that is encoded outside the merge. Integers are written as the shortest LEB128
 * form, and everything has exactly one encoding, which is what makes equal states equal bytes. What `finish` returns
 * is a copy of its own.
 */
import { assert } from '../errors.ts';
import { allocate } from './slab.ts';
import { binaryOfBytes } from './utf8.ts';

export class ByteWriter {
  #bytes: Uint8Array;
  #length = 0;

  constructor(initialBytes = 512) {
    this.#bytes = new Uint8Array(initialBytes);
  }

  get length(): number {
    return this.#length;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** Non-negative safe integer. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `not a varint: ${value}`);
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Each character of a binary string as one byte. */
  binary(text: string): void {
    this.#reserve(text.length);
    for (let index = 0; index < text.length; index++)
      this.#bytes[this.#length + index] = text.charCodeAt(index);
    this.#length += text.length;
  }

  finish(): Uint8Array {
    const result = allocate(this.#length);
    result.set(this.#bytes.subarray(0, this.#length));
    return result;
  }

  /** What was written, as a binary string. */
  text(): string {
    return binaryOfBytes(this.#bytes, 0, this.#length);
  }

  reset(): void {
    this.#length = 0;
  }

  #reserve(byteCount: number): void {
    const needed = this.#length + byteCount;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

let spare: ByteWriter | null = null;

/** Lends a writer. Where the call leads back here, as a value's getter may, the inner call gets another one. */
function withWriter<Result>(use: (writer: ByteWriter) => Result): Result {
  const writer = spare ?? new ByteWriter();
  spare = null;
  writer.reset();
  try {
    return use(writer);
  } finally {
    spare = writer;
  }
}

/** The bytes that `write` writes. */
export function written(write: (writer: ByteWriter) => void): Uint8Array {
  return withWriter((writer) => {
    write(writer);
    return writer.finish();
  });
}

/** The same as a binary string. */
export function binaryWritten(write: (writer: ByteWriter) => void): string {
  return withWriter((writer) => {
    write(writer);
    return writer.text();
  });
}

/** A binary string as bytes. */
export function bytesOf(binary: string): Uint8Array {
  return written((writer) => writer.binary(binary));
}

/** Bytes that `varint` takes for a value. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}
