/**
 * The result of a merge before it is copied: which runs of bytes follow each other, and from where. The first argument is
 * copied as a whole in one stroke, and then only what does not stand in its place yet is moved, which is nothing in the
 * common case of a field overwritten by one of the same length.
 */
import { commit, reserve, reserved } from '../codec/slab.ts';

export const fromState = 0;
export const fromDelta = 1;
export const fromScratch = 2;

/** Below this a loop is faster than a view and a native copy. */
const shortPiece = 32;

export class Pieces {
  #sources = new Int32Array(3 * 64);
  #count = 0;
  #headLength = 0;
  #movesLeft = false;
  #movesRight = false;
  #patches = new Int32Array(64);
  #patchCount = 0;
  /** Bytes that the result takes so far. */
  length = 0;
  /** Entries that were written anew. */
  scratch = new Uint8Array(1024);
  scratchLength = 0;

  begin(headLength: number): void {
    this.#count = 0;
    this.length = headLength;
    this.#headLength = headLength;
    this.#movesLeft = false;
    this.#movesRight = false;
    this.scratchLength = 0;
    this.#patchCount = 0;
  }

  /** One byte of the result that differs from the piece it lies in. */
  patch(offset: number, byte: number): void {
    if (this.#patchCount + 2 > this.#patches.length) {
      const grown = new Int32Array(2 * this.#patches.length);
      grown.set(this.#patches);
      this.#patches = grown;
    }
    this.#patches[this.#patchCount++] = offset;
    this.#patches[this.#patchCount++] = byte;
  }

  add(source: number, start: number, end: number): void {
    if (start >= end) return;
    if (this.#count + 3 > this.#sources.length) {
      const grown = new Int32Array(2 * this.#sources.length);
      grown.set(this.#sources);
      this.#sources = grown;
    }
    this.#sources[this.#count++] = source;
    this.#sources[this.#count++] = start;
    this.#sources[this.#count++] = end;
    if (source === fromState && start > this.length) this.#movesLeft = true;
    else if (source === fromState && start < this.length) this.#movesRight = true;
    this.length += end - start;
  }

  reserveScratch(byteCount: number): void {
    const needed = this.scratchLength + byteCount;
    if (needed <= this.scratch.length) return;
    const grown = new Uint8Array(2 * needed);
    grown.set(this.scratch.subarray(0, this.scratchLength));
    this.scratch = grown;
  }

  scratchVarint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.scratch[this.scratchLength++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.scratch[this.scratchLength++] = rest;
  }

  scratchBytes(bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at++) this.scratch[this.scratchLength++] = bytes[at] ?? 0;
  }

  /** The head and all pieces, copied together. */
  assemble(head: Uint8Array, state: Uint8Array, delta: Uint8Array): Uint8Array {
    const room = reserve(this.length > state.length ? this.length : state.length);
    const base = reserved.start;
    room.set(state, base);
    if (this.#movesLeft) this.#shiftLeft(room, base);
    if (this.#movesRight) this.#shiftRight(room, base);
    for (let at = 0; at < this.#headLength; at++) room[base + at] = head[at] ?? 0;
    let offset = base + this.#headLength;
    for (let index = 0; index < this.#count; index += 3) {
      const source = this.#sources[index] ?? 0;
      const start = this.#sources[index + 1] ?? 0;
      const length = (this.#sources[index + 2] ?? 0) - start;
      if (source !== fromState) {
        const bytes = source === fromDelta ? delta : this.scratch;
        if (length > shortPiece) room.set(bytes.subarray(start, start + length), offset);
        else for (let at = 0; at < length; at++) room[offset + at] = bytes[start + at] ?? 0;
      }
      offset += length;
    }
    for (let at = 0; at < this.#patchCount; at += 2) {
      room[base + (this.#patches[at] ?? 0)] = this.#patches[at + 1] ?? 0;
    }
    return commit(room, this.length);
  }

  /** Moves the state's runs that belong further left, from the first to the last, so that none is overwritten. */
  #shiftLeft(room: Uint8Array, base: number): void {
    let offset = this.#headLength;
    for (let index = 0; index < this.#count; index += 3) {
      const start = this.#sources[index + 1] ?? 0;
      const end = this.#sources[index + 2] ?? 0;
      if (this.#sources[index] === fromState && offset < start)
        room.copyWithin(base + offset, base + start, base + end);
      offset += end - start;
    }
  }

  /** Moves the state's runs that belong further right, from the last to the first. */
  #shiftRight(room: Uint8Array, base: number): void {
    let offset = this.length;
    for (let index = this.#count - 3; index >= 0; index -= 3) {
      const start = this.#sources[index + 1] ?? 0;
      const end = this.#sources[index + 2] ?? 0;
      offset -= end - start;
      if (this.#sources[index] === fromState && offset > start)
        room.copyWithin(base + offset, base + start, base + end);
    }
  }
}
