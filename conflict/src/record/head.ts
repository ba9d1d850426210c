/**
 * The head of a record where it lies: each actor's name and the dots seen of it, in typed arrays that are used again
 * for every merge. It reads the heads that ordinary records have (version 1.0, fewer than 128 actors, counters below
 * 2^28) and declines all others, well formed or not, so it has no errors of its own; every bound is checked.
 */
import { formatMajor, formatMinor, longestActorBytes } from '../codec/format.ts';

/** More actors than this do not fit one byte of index. */
const mostActors = 127;
const mostRuns = 256;

/** Where the last `smallVarint` ended. */
export const cursor = { end: 0 };

/** The integer at `offset` if it is below 2^28, in its shortest form and within the bytes; else -1. */
export function smallVarint(bytes: Uint8Array, offset: number): number {
  const first = bytes[offset] ?? 0xff;
  if (first < 0x80) {
    cursor.end = offset + 1;
    return first;
  }
  let value = first & 0x7f;
  for (let shift = 7; shift < 28; shift += 7) {
    const byte = bytes[++offset] ?? 0;
    if (byte < 0x80) {
      cursor.end = offset + 1;
      return byte === 0 ? -1 : value | (byte << shift);
    }
    value |= (byte & 0x7f) << shift;
  }
  return -1;
}

/** Writes an integer below 2^31; returns its end. */
export function writeVarint(room: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x80) {
    room[at++] = (rest & 0x7f) | 0x80;
    rest >>= 7;
  }
  room[at++] = rest;
  return at;
}

export class Head {
  bytes: Uint8Array = new Uint8Array(0);
  actorCount = 0;
  /** First byte after the head. */
  end = 0;
  readonly nameStart = new Int32Array(mostActors);
  readonly nameEnd = new Int32Array(mostActors);
  /** The dots of actor `i` are the pairs of first and last counter from `runsStart[i]` to `runsStart[i + 1]`. */
  readonly runsStart = new Int32Array(mostActors + 1);
  readonly runs = new Int32Array(2 * mostRuns);

  /** Returns whether this is a head that it reads. */
  read(bytes: Uint8Array): boolean {
    this.bytes = bytes;
    const count = bytes[1] ?? 0;
    if (bytes[0] !== ((formatMajor << 4) | formatMinor) || count === 0 || count > mostActors) return false;
    this.actorCount = count;
    this.end = 2;
    for (let index = 0; index < count; index++) if (!this.#readActor(index)) return false;
    return true;
  }

  #readActor(index: number): boolean {
    const { bytes } = this;
    const length = bytes[this.end] ?? 0;
    const nameEnd = this.end + 1 + length;
    if (length === 0 || length > longestActorBytes) return false;
    this.nameStart[index] = this.end + 1;
    this.nameEnd[index] = nameEnd;
    if (index > 0 && this.compareNames(index - 1, this, index) >= 0) return false;
    const max = smallVarint(bytes, nameEnd);
    const runCount = max < 0 ? -1 : smallVarint(bytes, cursor.end);
    let at = this.runsStart[index] ?? 0;
    if (runCount < 0 || at + 2 * runCount + 2 > this.runs.length || max + runCount === 0) return false;
    if (max > 0) {
      this.runs[at++] = 1;
      this.runs[at++] = max;
    }
    let last = max;
    for (let run = 0; run < runCount; run++) {
      const gap = smallVarint(bytes, cursor.end);
      const more = gap < 0 ? -1 : smallVarint(bytes, cursor.end);
      const low = last + 2 + gap;
      last = low + more;
      if (more < 0 || last >= 1 << 28) return false;
      this.runs[at++] = low;
      this.runs[at++] = last;
    }
    this.runsStart[index + 1] = at;
    this.end = cursor.end;
    return true;
  }

  /** Order of an actor's name and of one in another head, as bytes. */
  compareNames(index: number, other: Head, otherIndex: number): number {
    const a = this.bytes;
    const b = other.bytes;
    let atA = this.nameStart[index] ?? 0;
    let atB = other.nameStart[otherIndex] ?? 0;
    const endA = this.nameEnd[index] ?? 0;
    const endB = other.nameEnd[otherIndex] ?? 0;
    while (atA < endA && atB < endB) {
      const difference = (a[atA++] ?? 0) - (b[atB++] ?? 0);
      if (difference !== 0) return difference;
    }
    return endA - atA - (endB - atB);
  }

  /** The highest counter up to which nothing is missing. */
  contiguous(index: number): number {
    const at = this.runsStart[index] ?? 0;
    return this.runs[at] === 1 ? (this.runs[at + 1] ?? 0) : 0;
  }

  /** Whether the dot (actor at `index`, `counter`) was seen; index -1 is an actor that this head lacks. */
  has(index: number, counter: number): boolean {
    if (index < 0) return false;
    const end = this.runsStart[index + 1] ?? 0;
    for (let at = this.runsStart[index] ?? 0; at < end; at += 2) {
      if (counter < (this.runs[at] ?? 0)) return false;
      if (counter <= (this.runs[at + 1] ?? 0)) return true;
    }
    return false;
  }
}
