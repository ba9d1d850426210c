/**
 * The region's own beats in a database in memory, and the questions of P7 about them. `k` is the newest beat that a
 * peer has settled, `j` the newest one that was counted with the same number of changes before it. Pruning keeps
 * whatever is still measured against, and ten minutes before the newest published one, to which a slot may go back.
 */
import { untoldMs } from '../../age.ts';
import type { Beat, CountedBeat, Lsn } from '../../ports/change.ts';
import type { BeatBounds, SeenBeat } from '../beat-clock.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

interface BeatRow extends Beat {
  readonly end: Lsn | null;
  readonly count: number | null;
  readonly isPublished: boolean;
  /** By how much the clock had been set back, all in all. */
  readonly setBackMs: number;
}

type Mark = 'oldest' | 'newest' | 'counted' | 'published';

const keptMs = 600_000;

export class MemoryBeats {
  readonly #database: MemoryDatabase;
  readonly #rows: MemoryTable<BeatRow, number>;
  readonly #byEnd: MemoryTable<number, Lsn>;
  readonly #marks: MemoryTable<number, Mark>;

  constructor(database: MemoryDatabase) {
    this.#database = database;
    this.#rows = database.table('beat');
    this.#byEnd = database.table('beat_end');
    this.#marks = database.table('beat_mark');
  }

  get newest(): Beat | null {
    return this.#marked('newest');
  }

  /** As a process that stands by sees it. */
  get seen(): SeenBeat | null {
    const row = this.#marked('newest');
    return row && { number: row.number, unsetMs: unsetMs(row) };
  }

  /** Its time is by the clock as it goes now. */
  get newestCounted(): CountedBeat | null {
    const row = this.#marked('counted');
    const counted = countedOf(row);
    return row && counted && { ...counted, atMs: unsetMs(row) - this.#setBackMs };
  }

  get newestPublished(): CountedBeat | null {
    return countedOf(this.#marked('published'));
  }

  /** The newest one that was published and ended up to there. */
  publishedUpTo(end: Lsn): CountedBeat | null {
    const oldest = this.#marks.get('oldest') ?? 1;
    for (let number = this.#marks.get('published') ?? 0; number >= oldest; number--) {
      const row = this.get(number);
      if (row?.isPublished === true && row.end !== null && row.end <= end) return countedOf(row);
    }
    return null;
  }

  /**
   * The newest one that ended up to there. What a slot that was lost had not read has no end; it ended before the place
   * of the next beat was read (P2).
   */
  passedBy(end: Lsn): CountedBeat | null {
    const oldest = this.#marks.get('oldest') ?? 1;
    const newest = Math.max(this.#marks.get('newest') ?? 0, this.#marks.get('published') ?? 0);
    let next: BeatRow | null = null;
    for (let number = newest; number >= oldest; number--) {
      const row = this.get(number);
      if (row !== null && row.isPublished && row.end !== null && row.end <= end) return countedOf(row);
      if (row !== null && next?.number === number + 1 && next.lsn <= end)
        return { number, lsn: row.lsn, atMs: row.atMs, count: null, end };
      next = row;
    }
    return null;
  }

  get(number: number): BeatRow | null {
    return this.#rows.get(number) ?? null;
  }

  /** Commits the next beat; its position is read before its transaction begins (P2). Returns the clock as if it had never been set back. */
  write({ leastMs, mostMs, passedMs }: BeatBounds): number {
    const lsn = this.#database.wal.insert;
    const atMs = this.#database.nowMs();
    const number = (this.#marks.get('newest') ?? 0) + 1;
    const before = this.get(number - 1);
    let setBackMs = before?.setBackMs ?? 0;
    if (before !== null && atMs + setBackMs < Math.max(unsetMs(before), leastMs ?? -Infinity)) {
      const isBeyond = mostMs === null || unsetMs(before) > mostMs;
      setBackMs = (isBeyond ? unsetMs(before) + (passedMs ?? untoldMs) : mostMs) - atMs;
    }
    this.#database.transact(true, (emission) => {
      this.#rows.put(number, {
        number,
        lsn,
        atMs,
        end: null,
        count: null,
        isPublished: false,
        setBackMs,
      });
      this.#marks.put('newest', number);
      if (this.#marks.get('oldest') === undefined) this.#marks.put('oldest', number);
      emission.beats.push({ number, lsn, atMs });
    });
    return atMs + setBackMs;
  }

  /** Puts back one that was pruned before its count came. */
  storePublished(beat: CountedBeat): void {
    const { number, end, count } = beat;
    const known = this.get(number);
    this.#rows.put(number, {
      number,
      lsn: known?.lsn ?? beat.lsn,
      atMs: known?.atMs ?? beat.atMs,
      end,
      count,
      isPublished: true,
      setBackMs: known?.setBackMs ?? this.notAfter(number - 1)?.setBackMs ?? 0,
    });
    this.#byEnd.put(end, number);
    this.#raise('published', number);
    if (count !== null && count >= (this.newestCounted?.count ?? 0)) this.#raise('counted', number);
  }

  endingAt(end: Lsn): BeatRow | null {
    const number = this.#byEnd.get(end);
    return number === undefined ? null : this.get(number);
  }

  /** Inclusive. */
  between(from: number, to: number): readonly Beat[] {
    const found: Beat[] = [];
    const last = Math.min(to, this.#marks.get('newest') ?? 0);
    for (let number = Math.max(from, this.#marks.get('oldest') ?? 1); number <= last; number++) {
      const row = this.get(number);
      if (row !== null) found.push({ number, lsn: row.lsn, atMs: row.atMs });
    }
    return found;
  }

  /** The newest beat with at most this number. */
  notAfter(number: number): BeatRow | null {
    const oldest = this.#marks.get('oldest') ?? 1;
    for (let found = Math.min(number, this.#marks.get('newest') ?? 0); found >= oldest; found--) {
      const row = this.get(found);
      if (row !== null) return row;
    }
    return null;
  }

  /** Time of `j`, up to which nothing was written after this beat, by the clock as it goes now; `null`: no such beat. */
  coveredAtMs({ number }: Pick<Beat, 'number'>): number | null {
    const beat = this.get(number);
    if (beat === null) return null;
    return Math.max(unsetMs(beat), this.#unsetMsOfLast(beat)) - this.#setBackMs;
  }

  /** By how much the clock was set back until the newest beat. */
  get #setBackMs(): number {
    return this.#marked('newest')?.setBackMs ?? 0;
  }

  #unsetMsOfLast(beat: BeatRow): number {
    if (beat.count === null) return unsetMs(beat);
    for (let number = this.#marks.get('newest') ?? 0; number > beat.number; number--) {
      const row = this.get(number);
      if (row !== null && row.count === beat.count) return unsetMs(row);
    }
    return unsetMs(beat);
  }

  /** The newest one that so many have followed. */
  followedBy(count: number): BeatRow | null {
    const { newest } = this;
    return newest === null ? null : this.notAfter(newest.number - count);
  }

  /** Drops what is old and settled by all; `settled` holds a number for every peer. Returns how many. */
  prune(settled: readonly number[], nowMs: number): number {
    const published = this.#marks.get('published') ?? 0;
    const newest = this.#marks.get('newest') ?? 0;
    const needed = Math.min(...settled, published, newest, this.#marks.get('counted') ?? 0);
    let oldest = this.#marks.get('oldest') ?? 1;
    const first = oldest;
    const fromMs = Math.min(nowMs, this.get(published)?.atMs ?? nowMs) - keptMs;
    for (; oldest < needed; oldest++) {
      const row = this.get(oldest);
      if (row !== null && row.atMs > fromMs) break;
      if (row?.end !== null && row?.end !== undefined) this.#byEnd.delete(row.end);
      this.#rows.delete(oldest);
    }
    if (oldest > first) this.#marks.put('oldest', oldest);
    return oldest - first;
  }

  /** In a transaction. They spoke of another write-ahead log. */
  forget(): void {
    this.#rows.clear();
    this.#byEnd.clear();
    this.#marks.clear();
  }

  #marked(mark: Mark): BeatRow | null {
    const number = this.#marks.get(mark);
    return number === undefined ? null : this.get(number);
  }

  #raise(mark: Mark, number: number): void {
    if (number > (this.#marks.get(mark) ?? 0)) this.#marks.put(mark, number);
  }
}

function countedOf(row: BeatRow | null): CountedBeat | null {
  if (row === null || row.end === null) return null;
  const { number, lsn, atMs, end, count } = row;
  return { number, lsn, atMs, end, count };
}

/** As if the clock had never been set back. */
function unsetMs({ atMs, setBackMs }: BeatRow): number {
  return atMs + setBackMs;
}
