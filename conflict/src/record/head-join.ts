/**
 * The union of two heads: one sorted table of actors with everything that either side has seen, and the maps between
 * the indices of both sides and of the union. When the right side has seen nothing that the left has not, there is no
 * union to make, because then nothing can change. When only counters of known actors grow within the bytes that they
 * have, which is almost always, the union is the left head with a few bytes patched; else it is written anew.
 */
import { varintLength } from '../codec/byte-writer.ts';
import { formatMajor } from '../codec/format.ts';
import { Head } from './head.ts';

export class HeadJoin {
  readonly left = new Head();
  readonly right = new Head();
  /** Index in the union of each left and each right actor. */
  leftTo = new Int32Array(16);
  rightTo = new Int32Array(16);
  /** Index on the other side of each left and each right actor; -1 where it is not there. */
  rightOf = new Int32Array(16);
  leftOf = new Int32Array(16);
  /** The union's head, where it is written anew: the first `length` bytes; 0 where the left one is patched. */
  bytes: Uint8Array = new Uint8Array(256);
  length = 0;
  /** Pairs of an offset in the left head and the byte that belongs there. */
  patches = new Int32Array(64);
  patchCount = 0;
  /** Whether entries of that side keep the index of their actor. */
  leftStays = true;
  rightStays = true;
  /** At least as many dots as both sides have seen. */
  sharedDots = 0;

  #runs = new Float64Array(32);
  #runCount = 0;

  /** Reads both heads and joins them; `false` where the left side has seen all that the right has. */
  join(state: Uint8Array, delta: Uint8Array): boolean {
    this.left.read(state);
    this.right.read(delta);
    this.#reserve(this.left.actorCount + this.right.actorCount);
    if (this.#map()) return false;
    this.#countShared();
    if (!this.#patch()) this.#write();
    return true;
  }

  /** Fills the maps; returns whether the right side is included in the left. */
  #map(): boolean {
    const { left, right, leftTo, rightTo, leftOf, rightOf } = this;
    let included = true;
    let mine = 0;
    let theirs = 0;
    let count = 0;
    this.leftStays = true;
    this.rightStays = true;
    while (mine < left.actorCount || theirs < right.actorCount) {
      const order = this.#order(mine, theirs);
      if (order <= 0) {
        leftTo[mine] = count;
        if (mine !== count) this.leftStays = false;
        rightOf[mine] = order === 0 ? theirs : -1;
      }
      if (order >= 0) {
        rightTo[theirs] = count;
        if (theirs !== count) this.rightStays = false;
        leftOf[theirs] = order === 0 ? mine : -1;
        if (included) included = this.#includes(order === 0 ? mine : -1, theirs);
      }
      if (order <= 0) mine++;
      if (order >= 0) theirs++;
      count++;
    }
    return included;
  }

  #order(mine: number, theirs: number): number {
    if (mine >= this.left.actorCount) return 1;
    if (theirs >= this.right.actorCount) return -1;
    return this.left.compare(mine, this.right, theirs);
  }

  /** Whether the left actor has all dots of the right one. */
  #includes(mine: number, theirs: number): boolean {
    const { left, right } = this;
    const start = right.runsStart[theirs] ?? 0;
    const end = right.runsStart[theirs + 1] ?? 0;
    const max = right.max[theirs] ?? 0;
    if (mine === -1) return max === 0 && start === end;
    const leftMax = left.max[mine] ?? 0;
    if (max > leftMax) return false;
    for (let at = start; at < end; at += 2) {
      const last = right.runs[at + 1] ?? 0;
      if (last > leftMax && !this.#includesRun(mine, right.runs[at] ?? 0, last)) return false;
    }
    return true;
  }

  #includesRun(mine: number, low: number, high: number): boolean {
    const { left } = this;
    const end = left.runsStart[mine + 1] ?? 0;
    const at = left.runFrom(left.runsStart[mine] ?? 0, end, low);
    return at < end && (left.runs[at] ?? 0) <= low && (left.runs[at + 1] ?? 0) >= high;
  }

  /** Counts what both sides may have seen; an entry of the left goes only if its dot is among that. */
  #countShared(): void {
    const { left, right, leftOf } = this;
    let shared = 0;
    for (let theirs = 0; theirs < right.actorCount; theirs++) {
      const mine = leftOf[theirs] ?? -1;
      if (mine === -1) continue;
      const highest = left.highest[mine] ?? 0;
      const max = right.max[theirs] ?? 0;
      shared += max < highest ? max : highest;
      const end = right.runsStart[theirs + 1] ?? 0;
      for (let at = right.runsStart[theirs] ?? 0; at < end; at += 2) {
        const low = right.runs[at] ?? 0;
        if (low > highest) break;
        const high = right.runs[at + 1] ?? 0;
        shared += 1 + (high < highest ? high : highest) - low;
      }
    }
    this.sharedDots = shared;
  }

  /** Notes the bytes of the left head that change; `false` where that is not enough. */
  #patch(): boolean {
    const { left, right, leftOf } = this;
    this.length = 0;
    this.patchCount = 0;
    if (right.minor > left.minor) return false;
    for (let theirs = 0; theirs < right.actorCount; theirs++) {
      const mine = leftOf[theirs] ?? -1;
      if (mine === -1 || left.runsStart[mine] !== left.runsStart[mine + 1]) return false;
      const old = left.max[mine] ?? 0;
      const max = this.#contiguous(old, theirs);
      if (max === -1 || !this.#patchMax(mine, old, max)) return false;
    }
    return true;
  }

  /** The left's contiguous part extended by all that the right has seen; -1 where a run lies apart from it. */
  #contiguous(start: number, theirs: number): number {
    const { right } = this;
    const theirMax = right.max[theirs] ?? 0;
    let max = theirMax > start ? theirMax : start;
    const end = right.runsStart[theirs + 1] ?? 0;
    for (let at = right.runsStart[theirs] ?? 0; at < end; at += 2) {
      if ((right.runs[at] ?? 0) > max + 1) return -1;
      const high = right.runs[at + 1] ?? 0;
      if (high > max) max = high;
    }
    return max;
  }

  #patchMax(mine: number, old: number, max: number): boolean {
    if (max === old) return true;
    const length = varintLength(max);
    if (length !== varintLength(old) || 2 * (this.patchCount + length) > this.patches.length) return false;
    const offset = (this.left.nameStart[mine] ?? 0) + (this.left.nameLength[mine] ?? 0);
    let rest = max;
    for (let at = 0; at < length; at++) {
      this.patches[2 * this.patchCount] = offset + at;
      this.patches[2 * this.patchCount + 1] = at + 1 < length ? (rest % 0x80) | 0x80 : rest;
      this.patchCount++;
      rest = Math.floor(rest / 0x80);
    }
    return true;
  }

  #write(): void {
    const { left, right } = this;
    this.#reserveBytes(left.entriesStart + right.entriesStart);
    this.length = 0;
    this.#byte((formatMajor << 4) | (left.minor > right.minor ? left.minor : right.minor));
    let mine = 0;
    let theirs = 0;
    this.#varint(this.#unionCount());
    while (mine < left.actorCount || theirs < right.actorCount) {
      const shared = mine < left.actorCount ? (this.rightOf[mine] ?? -1) : -2;
      if (shared === theirs) this.#writeShared(mine++, theirs++);
      else if (shared === -1 && this.#isNext(mine, theirs)) this.#copy(left, mine++);
      else this.#copy(right, theirs++);
    }
  }

  /** Whether the left actor, which the right side lacks, comes before the next right one. */
  #isNext(mine: number, theirs: number): boolean {
    return theirs >= this.right.actorCount || (this.leftTo[mine] ?? 0) < (this.rightTo[theirs] ?? 0);
  }

  #unionCount(): number {
    const { left, right } = this;
    const lastLeft = left.actorCount === 0 ? -1 : (this.leftTo[left.actorCount - 1] ?? 0);
    const lastRight = right.actorCount === 0 ? -1 : (this.rightTo[right.actorCount - 1] ?? 0);
    return 1 + (lastLeft > lastRight ? lastLeft : lastRight);
  }

  #copy(head: Head, index: number): void {
    const end = head.actorEnd[index] ?? 0;
    const { bytes } = head;
    for (let at = (head.nameStart[index] ?? 1) - 1; at < end; at++)
      this.bytes[this.length++] = bytes[at] ?? 0;
  }

  #writeShared(mine: number, theirs: number): void {
    const { left } = this;
    const start = (left.nameStart[mine] ?? 1) - 1;
    const end = start + 1 + (left.nameLength[mine] ?? 0);
    const { bytes } = left;
    for (let at = start; at < end; at++) this.bytes[this.length++] = bytes[at] ?? 0;
    this.#writeSeen(mine, theirs);
  }

  /** The union of two lists of runs above the greater of two contiguous parts. */
  #writeSeen(mine: number, theirs: number): void {
    const { left, right } = this;
    let a = left.runsStart[mine] ?? 0;
    const endA = left.runsStart[mine + 1] ?? 0;
    let b = right.runsStart[theirs] ?? 0;
    const endB = right.runsStart[theirs + 1] ?? 0;
    const maxA = left.max[mine] ?? 0;
    const maxB = right.max[theirs] ?? 0;
    let max = maxA > maxB ? maxA : maxB;
    let top = max;
    this.#runCount = 0;
    while (a < endA || b < endB) {
      const fromA = b >= endB || (a < endA && (left.runs[a] ?? 0) <= (right.runs[b] ?? 0));
      const low = fromA ? (left.runs[a] ?? 0) : (right.runs[b] ?? 0);
      const high = fromA ? (left.runs[a + 1] ?? 0) : (right.runs[b + 1] ?? 0);
      if (fromA) a += 2;
      else b += 2;
      if (low > top + 1) this.#pushRun(low, high);
      else if (high > top && this.#runCount > 0) this.#runs[this.#runCount - 1] = high;
      else if (high > top) max = high;
      if (high > top) top = high;
    }
    this.#writeRuns(max);
  }

  #pushRun(low: number, high: number): void {
    if (this.#runCount + 2 > this.#runs.length) {
      const grown = new Float64Array(2 * this.#runs.length);
      grown.set(this.#runs);
      this.#runs = grown;
    }
    this.#runs[this.#runCount++] = low;
    this.#runs[this.#runCount++] = high;
  }

  #writeRuns(max: number): void {
    this.#varint(max);
    this.#varint(this.#runCount / 2);
    let last = max;
    for (let at = 0; at < this.#runCount; at += 2) {
      const low = this.#runs[at] ?? 0;
      const high = this.#runs[at + 1] ?? 0;
      this.#varint(low - last - 2);
      this.#varint(high - low);
      last = high;
    }
  }

  #byte(value: number): void {
    this.bytes[this.length++] = value;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  #reserve(actorCount: number): void {
    if (actorCount <= this.leftTo.length) return;
    this.leftTo = new Int32Array(2 * actorCount);
    this.rightTo = new Int32Array(2 * actorCount);
    this.rightOf = new Int32Array(2 * actorCount);
    this.leftOf = new Int32Array(2 * actorCount);
  }

  /** Enough for both heads: a union of runs takes at most as many bytes, but for one longer integer each. */
  #reserveBytes(byteCount: number): void {
    const needed = 2 * byteCount + 64;
    if (needed > this.bytes.length) this.bytes = new Uint8Array(2 * needed);
  }
}
