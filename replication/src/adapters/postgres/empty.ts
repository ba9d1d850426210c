/**
 * Empties a region's database that is to be filled anew (P6), inside the transaction that makes it another incarnation: so
 * it is the old life with everything or the new one with nothing, and never anything between. Rows are deleted and no table
 * is truncated, because a snapshot that a peer still reads from would find a truncated table empty and promise what it
 * does not show. What is half filled is emptied again whatever made the next incarnation. What is known of other regions'
 * ends, retirements, incidents and the own generation stays.
 */
import type { RecordId } from '../../ports/change.ts';
import { beginning } from '../../ports/record-reader.ts';
import { textAt } from './row-values.ts';
import type { Call, Session, Statement } from './session.ts';

/** Few enough for each statement to end within its time, however slow the disk is. */
const recordsAtOnce = 5000;

/** It is to be emptied by whatever makes the next incarnation. */
export const isWanted = "EXISTS (SELECT FROM isthmus.refill WHERE state = 'renewing' OR unfilled)";

/** Locked, because a wish may be withdrawn until then. */
const selectWanted: Statement = {
  name: 'isthmus_empty_wanted',
  text: "SELECT FROM isthmus.refill WHERE state = 'renewing' OR unfilled FOR UPDATE",
};

const deleteRecords: Statement = {
  name: 'isthmus_empty_records',
  text: `WITH part AS (SELECT collection, key FROM isthmus.record WHERE (collection, key) > ($1, $2)
      ORDER BY collection, key LIMIT ${recordsAtOnce}),
    gone AS (DELETE FROM isthmus.record USING part WHERE record.collection = part.collection AND record.key = part.key)
  SELECT collection, key FROM part ORDER BY collection DESC, key DESC LIMIT 1`,
};

const emptied: readonly Call[] = [
  'position',
  'dead_letter',
  'ahead',
  'awaited_past',
  'whole_past',
  'horizon',
  'transfer_refused',
  'verification',
].map((table) => [{ name: null, text: `DELETE FROM isthmus.${table}` }]);

const endTransfers: Statement = {
  name: 'isthmus_empty_transfers',
  text: `UPDATE isthmus.transfer SET state = 'failed', ended_at = clock_timestamp(), detail = 'the region is filled anew'
  WHERE state IN ('wanted', 'running')`,
};

/** Nothing of earlier lives is held any more, and the new one waits for its past as every other. */
export const afterRefill: readonly Call[] = [
  [{ name: 'isthmus_empty_past', text: `UPDATE isthmus.own_past SET through = '0/0' WHERE ${isWanted}` }],
  [
    {
      name: 'isthmus_empty_identity',
      text: `UPDATE isthmus.identity SET drained_since = NULL, drained_from = NULL, drained_beat = NULL, joining = false WHERE ${isWanted}`,
    },
  ],
  [
    {
      name: 'isthmus_empty_done',
      text: "UPDATE isthmus.refill SET state = 'filling', unfilled = true WHERE state = 'renewing' OR unfilled",
    },
  ],
];

/** Does nothing where it is not wanted. The caller rolls back what it throws. */
export async function emptyForRefill(session: Session): Promise<void> {
  const { rowCount } = await session.query(selectWanted);
  if (rowCount !== 1) return;
  for (let after: RecordId | null = beginning; after !== null; ) after = await deleteSome(session, after);
  for (const call of emptied) await session.query(...call);
  await session.query(endTransfers);
}

/** After which record to go on; `null`: none is left. */
async function deleteSome(session: Session, after: RecordId): Promise<RecordId | null> {
  const { rows } = await session.query(deleteRecords, after.collection, after.key);
  const last = rows[0];
  return last === undefined ? null : { collection: textAt(last, 0), key: textAt(last, 1) };
}
