/**
 * One merging transaction of a transfer: records are locked in the order of every write transaction (P3), and only
 * then the horizon is read, because a barrier that completes meanwhile deletes under the same locks. It emits nothing,
 * so what a transfer brings is never published again (P6). The commit does not wait for the disk: what follows it,
 * positions above all, cannot become durable before it.
 */
import { assert } from '../../errors.ts';
import { heldBy, requireRoom } from '../../letter-limits.ts';
import type { MergeTransaction, RefusedState } from '../../ports/transfer-store.ts';
import { byteaArray, textArray } from './binary-array.ts';
import { requireOpenDonor, selectClosedDonor } from './closed-donor.ts';
import { commitWith } from './commit.ts';
import { heldAt } from './dead-letters.ts';
import { LockPlan, type PlaceholderHabit } from './record-locks.ts';
import { beginWithoutWaiting } from './remote-apply.ts';
import type { Call, Session, Statement } from './session.ts';
import { selectHorizon } from './standing.ts';
import { entryAt } from './vector-columns.ts';

const maxRecords = 500;

/** A state that was refused under an earlier snapshot is replaced. */
const insertRefused: Statement = {
  name: 'isthmus_transfer_refused',
  text: `INSERT INTO isthmus.transfer_refused (transfer, collection, key, state, cause, detail, stamp_ms)
  SELECT $1, refused.* FROM unnest($2::text[], $3::text[], $4::bytea[], $5::text[], $6::text[], $7::text[]::bigint[])
    AS refused
  ON CONFLICT (transfer, collection, key) DO UPDATE
    SET state = excluded.state, cause = excluded.cause, detail = excluded.detail, stamp_ms = excluded.stamp_ms`,
};

/** Besides those that are to be replaced. */
const selectRefusedHeld: Statement = {
  name: 'isthmus_transfer_refused_held',
  text: `SELECT count(*), coalesce(sum(octet_length(state) + octet_length(collection) + octet_length(key)), 0)
  FROM isthmus.transfer_refused WHERE transfer = $1
    AND (collection, key) NOT IN (SELECT * FROM unnest($2::text[], $3::text[]))`,
};

export interface PlannedMerge {
  readonly transaction: MergeTransaction;
  readonly plan: LockPlan;
}

export function planMerge(transaction: MergeTransaction, habit: PlaceholderHabit): PlannedMerge {
  const count = transaction.ids.length;
  assert(count > 0 && count <= maxRecords, `a merging transaction has ${count} records`);
  return { transaction, plan: new LockPlan(transaction.ids, habit) };
}

/** One attempt. The caller rolls back what it throws. */
export async function mergeStates(session: Session, { transaction, plan }: PlannedMerge): Promise<boolean> {
  const calls = plan.calls();
  const [, , donor, ...answers] = await session.pipeline([
    ...beginWithoutWaiting,
    [selectClosedDonor, transaction.job],
    ...calls,
    [selectHorizon],
  ]);
  await requireOpenDonor(session, donor);
  const locked = await plan.read(session, answers.slice(0, calls.length));
  const horizon = (answers.at(-1)?.rows ?? []).map((row) => entryAt(row, 0));
  const decision = transaction.decide({ states: locked.states, horizon });
  if (decision === null) {
    await session.rollback();
    return false;
  }
  const { writes, refused } = decision;
  if (refused.length > 0) await keepRefused(session, transaction.job, refused);
  await commitWith(session, { before: await locked.write(session, writes), after: [] });
  return true;
}

/** They become dead letters, and there is as much room for them as for those of an origin. */
async function keepRefused(session: Session, job: number, refused: readonly RefusedState[]): Promise<void> {
  const names = [refused.map(({ collection }) => collection), refused.map(({ key }) => key)];
  const [kept] = await session.pipeline([
    [selectRefusedHeld, job, ...names.map((each) => textArray(each))],
    insertion(job, refused),
  ]);
  requireRoom(
    heldAt(kept?.rows[0], 0),
    heldBy(refused, ({ state }) => state),
  );
}

function insertion(job: number, refused: readonly RefusedState[]): Call {
  const texts = (read: (state: RefusedState) => string): Buffer => textArray(refused.map(read));
  return [
    insertRefused,
    job,
    texts(({ collection }) => collection),
    texts(({ key }) => key),
    byteaArray(refused.map(({ state }) => state)),
    texts(({ cause }) => cause),
    texts(({ detail }) => detail),
    textArray(refused.map(({ stampMs }) => (stampMs === null ? null : `${stampMs}`))),
  ];
}
