/**
 * Builds bytes in a buffer that grows by doubling. A finished result is a copy of exactly its length, never a
 * view, so one writer may be used again and results stay independent of each other.
 */
export class ByteWriter {
  private buffer: Uint8Array;
  private used = 0;

  constructor(capacityBytes: number) {
    this.buffer = new Uint8Array(capacityBytes);
  }

  clear(): void {
    this.used = 0;
  }

  byte(value: number): void {
    this.reserve(1);
    this.buffer[this.used] = value;
    this.used += 1;
  }

  integer(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.buffer[this.used] = (rest % 0x80) | 0x80;
      this.used += 1;
      rest = Math.floor(rest / 0x80);
    }
    this.buffer[this.used] = rest;
    this.used += 1;
  }

  range(source: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.reserve(length);
    if (length < 32) {
      for (let index = 0; index < length; index += 1) {
        this.buffer[this.used + index] = source[start + index] ?? 0;
      }
    } else {
      this.buffer.set(source.subarray(start, end), this.used);
    }
    this.used += length;
  }

  /** Length first, then the bytes. */
  block(source: Uint8Array): void {
    this.integer(source.length);
    this.range(source, 0, source.length);
  }

  finish(): Uint8Array {
    return this.buffer.slice(0, this.used);
  }

  private reserve(bytes: number): void {
    const needed = this.used + bytes;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, this.buffer.length * 2));
    larger.set(this.buffer.subarray(0, this.used));
    this.buffer = larger;
  }
}
