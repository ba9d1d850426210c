/**
 * Looks at records whose mark is unknown, because an earlier version of the program wrote them, and says whether they
 * may be in conflict. It writes the mark and nothing else, under the row's lock, so a mark always belongs to the state
 * beside it. Rows that somebody else has locked are passed over: who writes them marks them. Bounded in rows.
 */
import { hasSiblings } from '@isthmus/conflict';
import type { RecordId } from '../../ports/change.ts';
import { booleanArray, tidArray } from './binary-array.ts';
import { commitWith } from './commit.ts';
import { beginWithoutWaiting } from './remote-apply.ts';
import { bytesAt, textAt } from './row-values.ts';
import type { Session, Statement } from './session.ts';

/** Each may have a state of 1 MiB. */
const rowsPerTransaction = 100;

export const lockUnmarked: Statement = {
  name: 'isthmus_unmarked',
  text: `SELECT ctid::text, collection, key, state FROM isthmus.record
  WHERE conflicting IS NOT FALSE AND conflicting IS NULL AND (collection, key) > ($1, $2)
  ORDER BY collection, key LIMIT ${rowsPerTransaction} FOR NO KEY UPDATE SKIP LOCKED`,
};

/** Tuple ids hold still while this transaction has the rows locked. */
export const markRecords: Statement = {
  name: 'isthmus_mark',
  text: `UPDATE isthmus.record SET conflicting = seen.conflicting
  FROM unnest($1::tid[], $2::boolean[]) AS seen (tuple, conflicting) WHERE record.ctid = seen.tuple`,
};

/** One attempt. The caller rolls back what it throws. */
export async function examineRecords(
  session: Session,
  { collection, key }: RecordId,
): Promise<RecordId | null> {
  const [, , found] = await session.pipeline([...beginWithoutWaiting, [lockUnmarked, collection, key]]);
  const rows = found?.rows ?? [];
  const last = rows.at(-1);
  if (last === undefined) {
    await session.rollback();
    return null;
  }
  const tuples = tidArray(rows.map((row) => textAt(row, 0)));
  const marks = booleanArray(rows.map((row) => hasSiblings(bytesAt(row, 3))));
  await commitWith(session, { before: [[markRecords, tuples, marks]], after: [] });
  return { collection: textAt(last, 1), key: textAt(last, 2) };
}
