/**
 * Reading with every bound checked. A length or a count is compared with what is left before anything is done with
 * it, so lying bytes end in a `malformed` error and never in a large allocation or a long loop. Only the shortest form
 * of an integer is accepted.
 */
import { malformed } from '../errors.ts';
import { binaryOfBytes } from './utf8.ts';

export class ByteReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;

  constructor(bytes: Uint8Array, offset = 0, end = bytes.length) {
    this.bytes = bytes;
    this.offset = offset;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  byte(): number {
    if (this.offset >= this.end) throw malformed('truncated');
    return this.bytes[this.offset++] ?? 0;
  }

  peek(): number {
    return this.offset < this.end ? (this.bytes[this.offset] ?? 0) : -1;
  }

  varint(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 0x80;
    for (let count = 1; count < 8; count++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return checkedVarint(value, byte);
      scale *= 0x80;
    }
    throw malformed('integer');
  }

  /** Moves over `byteCount` bytes and returns where they began. */
  skip(byteCount: number): number {
    if (byteCount > this.remaining) throw malformed('length');
    const start = this.offset;
    this.offset += byteCount;
    return start;
  }

  binary(byteCount: number): string {
    const start = this.skip(byteCount);
    return binaryOfBytes(this.bytes, start, this.offset);
  }

  /** A view, not a copy. */
  view(byteCount: number): Uint8Array {
    const start = this.skip(byteCount);
    return this.bytes.subarray(start, this.offset);
  }
}

function checkedVarint(value: number, lastByte: number): number {
  if (lastByte === 0 || value > Number.MAX_SAFE_INTEGER) throw malformed('integer');
  return value;
}
