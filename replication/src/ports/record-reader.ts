/**
 * Reading all records of a region in one order, that of (collection, key) by UTF-8 bytes, to compare them with
 * another region's. What is compared are whole states with their contexts: two rows whose live entries agree may
 * differ in what they know to be deleted, and skipping one would leave that unknown (P6). Everything is bounded, and
 * two regions that hold the same bytes under the same names answer with the same digests, whatever they are made of.
 * Every method rejects as the database does (`errors.ts`).
 */
import type { RecordId } from './change.ts';

/** Before every record. */
export const beginning: RecordId = { collection: '', key: '' };

/** The records after `after`, exclusive, up to `until`, inclusive. */
export interface RecordRange {
  readonly after: RecordId;
  readonly until: RecordId;
}

export interface RangeDigest {
  /** Over names and whole states, in order. */
  readonly digest: Uint8Array;
  readonly records: number;
}

/** A range that begins where the one before it ends. */
export interface NextRange extends RangeDigest {
  /** Its last record. */
  readonly until: RecordId;
}

export interface HashedRecord extends RecordId {
  /** Over name and whole state. */
  readonly hash: Uint8Array;
}

/** The first records of a range. */
export interface HashedRecords {
  readonly records: readonly HashedRecord[];
  /** All of the range up to there, inclusive, are among them: its end, or the last one of them. */
  readonly through: RecordId;
}

export interface RecordReader {
  /** The ranges that follow, in order, bounded in number, records and bytes; none: no record follows. */
  ranges(after: RecordId): Promise<readonly NextRange[]>;
  /** Of more than a range of `ranges` can hold: of its beginning, so that it equals none of them. */
  digest(range: RecordRange): Promise<RangeDigest>;
  /** At most `limit` of them, bounded in bytes; at least one where there is any. */
  hashes(range: RecordRange, limit: number): Promise<HashedRecords>;
  /** Aligned with the ids; an empty array where nothing is stored. */
  states(ids: readonly RecordId[]): Promise<readonly Uint8Array[]>;
}
