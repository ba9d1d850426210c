/**
 * The union of the heads of a state and a delta: one table of actors, the maps between the indices of both sides and
 * of the union, and whether the delta brings anything at all. It takes states that have seen a contiguous part of
 * every actor and deltas that go on from there, which is what arrives when nothing was lost or overtaken.
 */
import { formatMajor, formatMinor } from '../codec/format.ts';
import { Head, writeVarint } from './head.ts';

export class HeadUnion {
  readonly left = new Head();
  readonly right = new Head();
  /** Index in the union of each left and each right actor. */
  readonly leftTo = new Int32Array(128);
  readonly rightTo = new Int32Array(128);
  /** Index on the other side of each left and each right actor; -1 where it is not there. */
  readonly rightOf = new Int32Array(128);
  readonly leftOf = new Int32Array(128);
  /** Whether entries of the left keep the index of their actor. */
  leftStays = true;
  /** At least as many dots as both sides have seen. */
  sharedDots = 0;
  /** Whether the right has seen a dot that the left has not. */
  grows = false;

  #count = 0;
  /** For each actor of the union the highest counter, and on which side and where its name is. */
  readonly #max = new Int32Array(128);
  readonly #from = new Int32Array(128);

  /** Returns whether these are heads that it joins. */
  join(state: Uint8Array, delta: Uint8Array): boolean {
    const { left, right } = this;
    if (!left.read(state) || !right.read(delta)) return false;
    if (left.actorCount + right.actorCount > 127) return false;
    this.leftStays = true;
    this.sharedDots = 0;
    this.grows = false;
    this.#count = 0;
    let mine = 0;
    let theirs = 0;
    while (mine < left.actorCount || theirs < right.actorCount) {
      const order = this.#order(mine, theirs);
      if (!this.#add(order <= 0 ? mine : -1, order >= 0 ? theirs : -1)) return false;
      if (order <= 0) mine++;
      if (order >= 0) theirs++;
    }
    return true;
  }

  #order(mine: number, theirs: number): number {
    if (mine >= this.left.actorCount) return 1;
    if (theirs >= this.right.actorCount) return -1;
    return this.left.compareNames(mine, this.right, theirs);
  }

  /** Adds the actor with these indices; -1 where a side lacks it. */
  #add(mine: number, theirs: number): boolean {
    const { left } = this;
    const index = this.#count++;
    let max = 0;
    if (mine >= 0) {
      this.leftTo[mine] = index;
      this.rightOf[mine] = theirs;
      if (mine !== index) this.leftStays = false;
      max = left.contiguous(mine);
      if ((left.runsStart[mine + 1] ?? 0) - (left.runsStart[mine] ?? 0) !== 2 || max === 0) return false;
    }
    this.#from[index] = mine >= 0 ? mine : -1 - theirs;
    this.#max[index] = max;
    return theirs < 0 || this.#extend(index, mine, theirs);
  }

  #extend(index: number, mine: number, theirs: number): boolean {
    const { right } = this;
    this.rightTo[theirs] = index;
    this.leftOf[theirs] = mine;
    const known = this.#max[index] ?? 0;
    let max = known;
    const end = right.runsStart[theirs + 1] ?? 0;
    for (let at = right.runsStart[theirs] ?? 0; at < end; at += 2) {
      const low = right.runs[at] ?? 0;
      const high = right.runs[at + 1] ?? 0;
      if (low > max + 1) return false;
      if (low <= known) this.sharedDots += (high < known ? high : known) - low + 1;
      if (high > max) max = high;
    }
    if (max > known) this.grows = true;
    this.#max[index] = max;
    return true;
  }

  /** Writes the head of the union; returns its end. */
  write(room: Uint8Array, start: number): number {
    const count = this.#count;
    let at = start;
    room[at++] = (formatMajor << 4) | formatMinor;
    room[at++] = count;
    for (let index = 0; index < count; index++) {
      const from = this.#from[index] ?? 0;
      const head = from >= 0 ? this.left : this.right;
      const actor = from >= 0 ? from : -1 - from;
      const { bytes } = head;
      const nameEnd = head.nameEnd[actor] ?? 0;
      for (let byte = (head.nameStart[actor] ?? 1) - 1; byte < nameEnd; byte++) room[at++] = bytes[byte] ?? 0;
      at = writeVarint(room, at, this.#max[index] ?? 0);
      room[at++] = 0;
    }
    return at;
  }
}
