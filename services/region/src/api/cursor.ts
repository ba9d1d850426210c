/**
 * Where the next page of a list starts: the last key of the page before, together with collection and prefix, so that
 * a cursor used elsewhere is refused and does not silently skip records. It holds nothing that the caller has not
 * seen, so it is encoded and not encrypted.
 */
import { Problem } from '../problem.ts';
import { maxKeyBytes } from '@isthmus/replication/record-name';

interface Place {
  readonly collection: string;
  readonly prefix: string;
  readonly after: string;
}

const maxCursorLength = 4 * maxKeyBytes;
const separator = '\u0000';

export function formatCursor(place: Place): string {
  const text = [place.collection, place.prefix, place.after].join(separator);
  return Buffer.from(text).toString('base64url');
}

/** The key to go on after. Throws `invalid-cursor`. */
export function parseCursor(cursor: string, list: Omit<Place, 'after'>): string {
  const text = Buffer.from(cursor.slice(0, maxCursorLength), 'base64url').toString('utf8');
  const [, , after] = text.split(separator);
  const place = { ...list, after: after ?? '' };
  const isOurs = place.after.startsWith(list.prefix) && formatCursor(place) === cursor;
  if (isOurs) return place.after;
  throw new Problem(
    'invalid-cursor',
    'The cursor was not handed out for this collection and prefix; send `next` of the previous page unchanged.',
  );
}
