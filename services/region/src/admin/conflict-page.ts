/**
 * A page of conflicts: collections by name, records in the byte order of keys, fields by path. The store knows which
 * records may be in conflict; those are read one after the other, and what they show says which are, because that
 * depends on what the collection declares. A page ends where it is full, or where it has read as many records, as many
 * bytes or for as long as one request may, and then its place leads on, also where it found nothing. Every conflict
 * that stands from the first page to the last is given exactly once. A record that this version is too old to read may be
 * in conflict: it is given by name, and counts as one.
 */
import { isLastPage, type RecordStore, type StoredRecord } from '@isthmus/replication/ports/record-store';
import {
  type ConflictAnswer,
  type RecordConflicts,
  conflictAnswer,
  fieldToken,
} from '../records/conflict-view.ts';
import type { RecordType } from '../records/record-type.ts';
import { type UnreadableAnswer, UnreadableRecord, unreadableAnswer } from '../records/unreadable-record.ts';
import type { ConflictFilter, ConflictPlace } from './conflict-cursor.ts';

export interface ConflictSource {
  readonly collections: ReadonlyMap<string, Pick<RecordType, 'conflicts'>>;
  readonly store: Pick<RecordStore, 'read' | 'listConflicting'>;
  /** Milliseconds of a clock that never goes back. */
  readonly elapsedMs: () => number;
}

export interface ConflictQuery extends ConflictFilter {
  readonly limit: number;
  /** `null`: from the beginning. */
  readonly after: ConflictPlace | null;
}

export interface ConflictPage {
  readonly conflicts: readonly ConflictAnswer[];
  /** Records that may be in conflict and cannot be read by this version. */
  readonly unreadable: readonly UnreadableAnswer[];
  /** `null` where nothing is left to look at. */
  readonly next: ConflictPlace | null;
  /** Records read for this page. */
  readonly scanned: number;
}

/** A list costs as much as fifty small records; large ones end it by their bytes. */
const chunkRows = 1000;
const maxScanned = 10_000;
const maxMs = 2000;
const maxScannedBytes = 64 * 1024 * 1024;
const maxPageBytes = 4 * 1024 * 1024;

export async function readConflictPage(source: ConflictSource, query: ConflictQuery): Promise<ConflictPage> {
  const reading = new Reading(source, query);
  const atEnd = await reading.readAll();
  const { conflicts, unreadable, place, scanned } = reading;
  return { conflicts, unreadable, next: atEnd ? null : place, scanned };
}

class Reading {
  readonly conflicts: ConflictAnswer[] = [];
  readonly unreadable: UnreadableAnswer[] = [];
  scanned = 0;
  /** All up to here has been looked at. */
  place: ConflictPlace;
  readonly #source: ConflictSource;
  readonly #query: ConflictQuery;
  readonly #endMs: number;
  #bytes = 0;
  #scannedBytes = 0;
  #lists = 0;

  constructor(source: ConflictSource, query: ConflictQuery) {
    this.#source = source;
    this.#query = query;
    this.#endMs = source.elapsedMs() + maxMs;
    this.place = query.after ?? { collection: '', key: '', field: '' };
  }

  /** True: nothing is left. */
  async readAll(): Promise<boolean> {
    const first = this.place.collection;
    const { collection, key } = this.#query;
    const all = collection === null ? [...this.#source.collections.keys()].toSorted() : [collection];
    for (const name of all.filter((each) => each >= first)) {
      if (name > first) this.place = { collection: name, key: '', field: '' };
      const atEnd = key === null ? await this.#readCollection(name) : await this.#readKey(name, key);
      if (!atEnd) return false;
    }
    return true;
  }

  async #readCollection(collection: string): Promise<boolean> {
    if (this.place.field !== '' && !(await this.#readKey(collection, this.place.key))) return false;
    for (;;) {
      if (this.#isSpent()) return false;
      this.#lists++;
      const after = this.place.key === '' ? null : this.place.key;
      const chunk = await this.#source.store.listConflicting({ collection, after, limit: chunkRows });
      if (!chunk.every((stored) => this.#take(stored))) return false;
      if (isLastPage(chunk, chunkRows)) return true;
    }
  }

  /** Reads one record from the place on. */
  async #readKey(collection: string, key: string): Promise<boolean> {
    const state = await this.#source.store.read({ collection, key });
    return state === null || this.#take({ collection, key, state });
  }

  /** Every page looks further at least once, so that pages come to an end. */
  #isSpent(): boolean {
    const isRead = this.scanned >= maxScanned || this.#scannedBytes >= maxScannedBytes;
    return this.#lists > 0 && (isRead || this.#source.elapsedMs() >= this.#endMs);
  }

  #isFull(): boolean {
    const given = this.conflicts.length + this.unreadable.length;
    return given >= this.#query.limit || this.#bytes > maxPageBytes;
  }

  /** False: the page was full before the end of the record. */
  #take(stored: StoredRecord): boolean {
    if (this.#isFull()) return false;
    const { collection, key, state } = stored;
    const found = this.#source.collections.get(collection)?.conflicts(state) ?? null;
    this.scanned++;
    this.#scannedBytes += state.length;
    if (found instanceof UnreadableRecord) this.unreadable.push(unreadableAnswer(stored, found));
    else if (found !== null && !this.#give(stored, found)) return false;
    this.place = { collection, key, field: '' };
    return true;
  }

  /** Gives those of a record that come after the place; false: the page was full before the last. */
  #give({ collection, key, state }: StoredRecord, { version, fields }: RecordConflicts): boolean {
    const from = key === this.place.key ? this.place.field : '';
    this.#bytes += state.length;
    const tokens = fields.map((conflict) => ({ conflict, token: fieldToken(conflict.field) }));
    const left = tokens.filter(({ token }) => token > from).toSorted((a, b) => (a.token < b.token ? -1 : 1));
    for (const { conflict, token } of left) {
      if (this.conflicts.length + this.unreadable.length >= this.#query.limit) return false;
      this.conflicts.push(conflictAnswer({ collection, key }, conflict, version));
      this.place = { collection, key, field: token };
    }
    return true;
  }
}
