/**
 * Where the next page of conflicts starts, together with the filter of the list, so that a cursor used with another
 * filter is refused and does not silently skip. It holds nothing that the caller could not ask for, so it is encoded
 * and not encrypted; a forged one leads to another place of the same list and no further.
 */
import type { RecordId } from '@isthmus/replication/ports/change';
import { Problem } from '../problem.ts';

export interface ConflictFilter {
  /** `null`: all. */
  readonly collection: string | null;
  /** One exact key of the collection; `null`: all. */
  readonly key: string | null;
}

export interface ConflictPlace extends RecordId {
  /** Empty: all of the record is behind; else the token of the last field that was given. */
  readonly field: string;
}

/** Stands in no collection and no key, and separates what is absent from what is empty. */
const separator = '\u0000';
const maxCursorLength = 8192;

export function formatConflictCursor(filter: ConflictFilter, place: ConflictPlace): string {
  const parts = [filter.collection ?? '', filter.key ?? '', place.collection, place.key, place.field];
  return Buffer.from(parts.join(separator)).toString('base64url');
}

/** Throws `invalid-cursor`. */
export function parseConflictCursor(cursor: string, filter: ConflictFilter): ConflictPlace {
  const text = Buffer.from(cursor.slice(0, maxCursorLength), 'base64url').toString('utf8');
  const [, , collection = '', key = '', ...field] = text.split(separator);
  const place = { collection, key, field: field.join(separator) };
  const isWithin =
    (filter.collection === null || filter.collection === collection) &&
    (filter.key === null || filter.key === key);
  if (isWithin && formatConflictCursor(filter, place) === cursor) return place;
  throw new Problem(
    'invalid-cursor',
    'The cursor was not handed out for this collection and key; send `next` of the previous page unchanged as `after`.',
  );
}
