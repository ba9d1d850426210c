/** Digests, hashes and states of records in memory, computed as every region computes them. */
import type { RecordId } from '../../ports/change.ts';
import type {
  HashedRecords,
  NextRange,
  RangeDigest,
  RecordRange,
  RecordReader,
} from '../../ports/record-reader.ts';
import type { StoredRecord } from '../../ports/record-store.ts';
import {
  compareIds,
  digestOf,
  maxRangeBytes,
  maxRangeRecords,
  maxRanges,
  maxReadBytes,
  recordHash,
} from '../../record-hash.ts';
import { nameOf } from './record-store.ts';

const nothing = new Uint8Array(0);
/** Rows are immutable, and whole collections are compared again and again. */
const hashes = new WeakMap<StoredRecord, Uint8Array>();

function hashOf(record: StoredRecord): Uint8Array {
  const known = hashes.get(record);
  if (known !== undefined) return known;
  const hash = recordHash(record);
  hashes.set(record, hash);
  return hash;
}

export class MemoryRecordReader implements RecordReader {
  readonly #records: () => Iterable<StoredRecord>;

  /** `records` is asked anew for every call. */
  constructor(records: () => Iterable<StoredRecord>) {
    this.#records = records;
  }

  async ranges(after: RecordId): Promise<readonly NextRange[]> {
    const ranges: StoredRecord[][] = [];
    let [place, bytes, current] = [0, 0, -1];
    for (const record of this.#sorted({ after, until: null })) {
      const range = Math.floor(place / maxRangeRecords) + Math.floor(bytes / maxRangeBytes);
      if (place >= maxRangeRecords * maxRanges || bytes >= maxReadBytes) break;
      if (range !== current) ranges.push([]);
      ranges.at(-1)?.push(record);
      [place, bytes, current] = [place + 1, bytes + record.state.length, range];
    }
    return ranges.flatMap((records) => {
      const last = records.at(-1);
      if (last === undefined) return [];
      const until = { collection: last.collection, key: last.key };
      return [{ until, digest: digestOf(records.map(hashOf)), records: records.length }];
    });
  }

  async digest(range: RecordRange): Promise<RangeDigest> {
    const records = beginningOf(this.#sorted(range), maxRangeBytes);
    return { digest: digestOf(records.map(hashOf)), records: records.length };
  }

  async hashes(range: RecordRange, limit: number): Promise<HashedRecords> {
    const found = this.#sorted(range).slice(0, limit);
    const held = beginningOf(found, maxReadBytes);
    const last = held.length < found.length || held.length >= limit ? held.at(-1) : undefined;
    const { collection, key } = last ?? range.until;
    return {
      records: held.map((record) => ({
        collection: record.collection,
        key: record.key,
        hash: hashOf(record),
      })),
      through: { collection, key },
    };
  }

  async states(ids: readonly RecordId[]): Promise<readonly Uint8Array[]> {
    const wanted = new Set(ids.map(nameOf));
    const found = new Map<string, Uint8Array>();
    for (const record of this.#records())
      if (wanted.has(nameOf(record))) found.set(nameOf(record), record.state);
    return ids.map((id) => found.get(nameOf(id)) ?? nothing);
  }

  #sorted({ after, until }: { readonly after: RecordId; readonly until: RecordId | null }): StoredRecord[] {
    return [...this.#records()]
      .filter((id) => compareIds(id, after) > 0 && (until === null || compareIds(id, until) <= 0))
      .toSorted(compareIds);
  }
}

/** Up to the record that passes so many bytes. */
function beginningOf(records: readonly StoredRecord[], maxBytes: number): readonly StoredRecord[] {
  let bytes = 0;
  return records.filter(({ state }) => {
    const isWithin = bytes < maxBytes;
    bytes += state.length;
    return isWithin;
  });
}
