/**
 * The write-ahead log of a database in memory, as far as a relay can see it: what commits emitted, in commit order,
 * kept for one slot from the position that it has saved. Only what is flushed can be decoded. A slot that keeps more
 * than its limit is invalidated, and a slot that is created later begins at the log's end and hides what lay between
 * (I3). What the slot confirmed is saved only now and then, so after a crash the slot may begin earlier, never later.
 */
import type { Commit, Lsn } from '../../ports/change.ts';

interface Slot {
  readonly confirmed: Lsn;
  /** What a crash goes back to. */
  readonly saved: Lsn;
  readonly isLost: boolean;
}

export interface WalOptions {
  /** A slot that keeps more bytes than this is invalidated. */
  readonly maxRetainedBytes: number;
}

const headerBytes = 64n;

export class MemoryWal {
  readonly #maxRetainedBytes: number;
  #insert: Lsn = 0x0100_0000n;
  #flushed: Lsn = this.#insert;
  #recoveredTo: Lsn | null = null;
  #commits: Commit[] = [];
  #retainedBytes = 0;
  #slot: Slot | null = null;
  #starts: readonly Lsn[] = [];
  #isLaterLife = false;
  #onFlushed: () => void = () => undefined;

  constructor({ maxRetainedBytes }: WalOptions) {
    this.#maxRetainedBytes = maxRetainedBytes;
  }

  /** Where the next record will begin. */
  get insert(): Lsn {
    return this.#insert;
  }

  /** What the newest start found of it; `null`: that of the first start, which found nothing. */
  get recoveredTo(): Lsn | null {
    return this.#recoveredTo;
  }

  /** Position that the slot has confirmed; `null`: there is no slot, or it was invalidated. */
  get confirmed(): Lsn | null {
    return this.#slot === null || this.#slot.isLost ? null : this.#slot.confirmed;
  }

  /** Where each slot after the first one began. */
  get laterStarts(): readonly Lsn[] {
    return this.#starts.slice(1);
  }

  /** Where the first slot of a life began that has others before it; `null`: there are none. */
  get lifeStart(): Lsn | null {
    return this.#isLaterLife ? (this.#starts[0] ?? null) : null;
  }

  /** Called whenever there may be more to decode. */
  set onFlushed(listener: () => void) {
    this.#onFlushed = listener;
  }

  /** Appends a commit record and returns its end. */
  append(emitted: Omit<Commit, 'end'>): Lsn {
    const sizeBytes = sizeOf(emitted);
    this.#insert += headerBytes + BigInt(sizeBytes);
    const isOurs = emitted.changes.length > 0 || emitted.beats.length > 0;
    if (isOurs && this.#slot !== null && !this.#slot.isLost) {
      const { changes, beats } = emitted;
      this.#retain({ end: this.#insert, changes, beats });
    }
    return this.#insert;
  }

  flush(): void {
    if (this.#flushed === this.#insert) return;
    this.#flushed = this.#insert;
    this.#onFlushed();
  }

  /** Commits that lie after `position` and can be decoded, at least one if there is any, about `maxBytes` of them. */
  after(position: Lsn, maxBytes: number): readonly Commit[] {
    const found: Commit[] = [];
    let sizeBytes = 0;
    for (let index = this.#firstAfter(position); index < this.#commits.length; index++) {
      const commit = this.#commits[index];
      if (commit === undefined || commit.end > this.#flushed) break;
      sizeBytes += sizeOf(commit);
      if (found.length > 0 && sizeBytes > maxBytes) break;
      found.push(commit);
    }
    return found;
  }

  /** Replaces the slot, if there is one, by one that begins here. */
  createSlot(): void {
    this.dropSlot();
    this.#slot = { confirmed: this.#insert, saved: this.#insert, isLost: false };
    this.#starts = [...this.#starts, this.#insert];
  }

  /** The same for a database that becomes another incarnation. */
  createFirstSlot(): void {
    this.#starts = [];
    this.#isLaterLife = true;
    this.createSlot();
  }

  dropSlot(): void {
    this.#slot = null;
    this.#forget(this.#insert);
  }

  /** Never goes back. */
  confirm(end: Lsn): void {
    if (this.#slot === null || end <= this.#slot.confirmed) return;
    const { saved, isLost } = this.#slot;
    this.#slot = { confirmed: end, saved, isLost };
  }

  /** Saves what the slot has confirmed, and forgets what lies before. */
  checkpoint(): void {
    if (this.#slot === null) return;
    this.#slot = { ...this.#slot, saved: this.#slot.confirmed };
    this.#forget(this.#slot.saved);
  }

  /** What was not flushed is gone, and its positions will be used again. */
  crash(): void {
    this.#insert = this.#flushed;
    this.#recoveredTo = this.#flushed;
    this.#commits = this.#commits.filter(({ end }) => end <= this.#flushed);
    this.#retainedBytes = this.#commits.reduce((sum, commit) => sum + sizeOf(commit), 0);
    if (this.#slot !== null) this.#slot = { ...this.#slot, confirmed: this.#slot.saved };
  }

  /** A copy that later changes leave alone; the returned function brings it back, as often as it is called. */
  copy(): () => void {
    const kept = {
      insert: this.#insert,
      slot: this.#slot,
      starts: this.#starts,
      isLaterLife: this.#isLaterLife,
      commits: this.#commits.slice(),
    };
    const retainedBytes = this.#retainedBytes;
    return () => {
      this.#insert = kept.insert;
      this.#flushed = kept.insert;
      this.#recoveredTo = kept.insert;
      this.#slot = kept.slot;
      this.#starts = kept.starts;
      this.#isLaterLife = kept.isLaterLife;
      this.#commits = kept.commits.slice();
      this.#retainedBytes = retainedBytes;
    };
  }

  #retain(commit: Commit): void {
    this.#commits.push(commit);
    this.#retainedBytes += sizeOf(commit);
    if (this.#slot === null) return;
    if (this.#retainedBytes > this.#maxRetainedBytes) this.checkpoint();
    if (this.#retainedBytes <= this.#maxRetainedBytes) return;
    this.#slot = { ...this.#slot, isLost: true };
    this.#forget(this.#insert);
  }

  #forget(upTo: Lsn): void {
    const count = this.#firstAfter(upTo);
    for (const commit of this.#commits.splice(0, count)) this.#retainedBytes -= sizeOf(commit);
  }

  /** By bisection, because a relay that is far behind asks often. */
  #firstAfter(position: Lsn): number {
    let low = 0;
    let high = this.#commits.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const end = this.#commits[middle]?.end ?? 0n;
      if (end <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function sizeOf({ changes, beats }: Omit<Commit, 'end'>): number {
  let sizeBytes = 64 * beats.length;
  for (const { key, delta } of changes) sizeBytes += key.length + delta.length + 16;
  return sizeBytes;
}
