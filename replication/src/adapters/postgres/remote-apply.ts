/**
 * Applies one batch of a peer's changes together with the positions that it moves (P4). Their compare-and-set is the
 * first statement, and all of them move or the transaction fails there. Where nothing but positions moves all of it is one
 * round trip. What would put aside more than there is room for moves nothing
 * either. The commit need not wait for the disk, because rows and position fall together in a crash;
 * whoever promises a position to others makes it durable first.
 */
import { ReplicationError, assert } from '../../errors.ts';
import { maxAppliedRecords } from '../../transaction-limits.ts';
import type { IncidentConflict } from '../../ports/incident-store.ts';
import type { ApplyOutcome, ApplyTransaction, RecordConflict } from '../../ports/record-store.ts';
import { commitWith } from './commit.ts';
import { haveRoom, insertLetters } from './dead-letters.ts';
import { noteCalls } from './incident-store.ts';
import { fencedState, move, settle } from './positions.ts';
import { databaseUnavailable, serverErrorIn } from './postgres-error.ts';
import { LockPlan, type PlaceholderHabit } from './record-locks.ts';
import type { Call, Session, Statement } from './session.ts';
import { begin } from './session.ts';
import { sendAllButLast } from './statement-parts.ts';

const commitWithoutWaiting: Statement = {
  name: 'isthmus_commit_without_waiting',
  text: 'SET LOCAL synchronous_commit = off',
};

/** Two statements, so two answers. */
export const beginWithoutWaiting: readonly Call[] = [[begin], [commitWithoutWaiting]];

export interface RemoteApply {
  readonly transaction: ApplyTransaction;
  readonly plan: LockPlan;
}

export function planRemote(transaction: ApplyTransaction, habit: PlaceholderHabit): RemoteApply {
  const { ids, positions } = transaction;
  assert(ids.length <= maxAppliedRecords, `a batch has ${ids.length} records`);
  const partitions = new Set(positions.map(({ partition }) => partition));
  assert(positions.length > 0 && partitions.size === positions.length, 'each partition moves once');
  return { transaction, plan: new LockPlan(ids, habit) };
}

/** One attempt. The caller rolls back what it throws. */
export async function applyRemote(session: Session, apply: RemoteApply): Promise<ApplyOutcome> {
  try {
    return isBare(apply.transaction)
      ? await moveAlone(session, apply.transaction)
      : await applyChanges(session, apply);
  } catch (error) {
    if (serverErrorIn(error)?.code !== fencedState) throw error;
    await session.rollback();
    return 'fenced';
  }
}

/** Beats and empty intervals, which are all that comes while nobody writes: there is nothing to decide. */
function isBare({ ids, decide }: ApplyTransaction): boolean {
  return ids.length === 0 && decide([]).deadLetters.length === 0;
}

async function moveAlone(session: Session, transaction: ApplyTransaction): Promise<ApplyOutcome> {
  await commitWith(session, {
    before: [...beginWithoutWaiting, move(transaction), settle(transaction)],
    after: [],
  });
  return 'applied';
}

async function applyChanges(session: Session, { transaction, plan }: RemoteApply): Promise<ApplyOutcome> {
  const [, , , ...answers] = await session.pipeline([
    ...beginWithoutWaiting,
    move(transaction),
    ...plan.calls(),
  ]);
  const locked = await plan.read(session, answers, transaction.maxStateBytes);
  const { writes, deadLetters, conflicts = [] } = transaction.decide(locked.states);
  if (!(await haveRoom(session, transaction.origin, deadLetters))) {
    await session.rollback();
    return 'full';
  }
  const stored = await locked.write(session, writes);
  await commitWith(session, {
    before: [
      ...stored,
      ...(await sendAllButLast(session, insertLetters(transaction, deadLetters))),
      ...noteCalls(transaction.origin, namedConflicts(transaction.ids, conflicts)),
      settle(transaction),
    ],
    after: [],
  });
  return 'applied';
}

export function namedConflicts(
  ids: ApplyTransaction['ids'],
  conflicts: readonly RecordConflict[],
): readonly IncidentConflict[] {
  return conflicts.flatMap(({ index, fields }) => {
    const id = ids[index];
    return id === undefined ? [] : [{ collection: id.collection, key: id.key, fields }];
  });
}

/** A batch may be sent again whatever became of it: had it been applied, it is fenced. */
export function harmless(error: unknown): unknown {
  const isUnknown = error instanceof ReplicationError && error.code === 'outcome-unknown';
  return isUnknown ? databaseUnavailable(error.message, error) : error;
}
