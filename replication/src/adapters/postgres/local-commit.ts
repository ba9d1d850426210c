/**
 * A local write transaction: two round trips, of which the second carries rows, changes and COMMIT. The changes go
 * into the write-ahead log as one message in the order of the decision; there is no other record of them. It returns
 * only after a synchronous commit (I1), and a decision that throws or writes nothing leaves nothing behind.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { Change } from '../../ports/change.ts';
import type { LocalTransaction, LocalWrite } from '../../ports/record-store.ts';
import type { SeenCommit } from '../../ports/session-store.ts';
import {
  fitsTransaction,
  maxTransactionDeltaBytes,
  maxTransactionRecords,
} from '../../transaction-limits.ts';
import { commitWith } from './commit.ts';
import { LockPlan, type PlaceholderHabit } from './record-locks.ts';
import type { Session, Statement } from './session.ts';
import { begin } from './session.ts';
import { seenCommitOf, selectSight } from './session-store.ts';
import { changesPrefix, encodeChanges } from './wal-message.ts';

const emitChanges: Statement = {
  name: 'isthmus_emit',
  text: `SELECT pg_logical_emit_message(true, '${changesPrefix}', $1::bytea)`,
};

const talkIntervalMs = 2_000;

const sayNothing: Statement = { name: 'isthmus_talk', text: 'SELECT 1' };

export interface LocalCommit {
  readonly transaction: LocalTransaction;
  readonly plan: LockPlan;
}

export function planLocal(transaction: LocalTransaction, habit: PlaceholderHabit): LocalCommit {
  const count = transaction.ids.length;
  if (count > maxTransactionRecords) throw tooLarge('records', maxTransactionRecords, count);
  return { transaction, plan: new LockPlan(transaction.ids, habit) };
}

/** One attempt. The caller rolls back what it throws. */
export async function commitLocal(
  session: Session,
  { transaction, plan }: LocalCommit,
): Promise<SeenCommit | null> {
  const [, ...answers] = await session.pipeline([[begin], ...plan.calls()]);
  const locked = await plan.read(session, answers, transaction.maxStateBytes);
  const decided = transaction.decide(locked);
  // What is decided at once is sent at once.
  const writes = decided instanceof Promise ? await whileTalking(session, decided) : decided;
  if (writes.length === 0) {
    await session.rollback();
    return null;
  }
  const changes = changesOf(transaction, writes);
  const storing = locked.write(session, writes);
  const storedLast = storing instanceof Promise ? await storing : storing;
  const answered = await commitWith(session, {
    before: [...storedLast, [emitChanges, encodeChanges(changes)]],
    after: [[selectSight]],
  });
  return seenCommitOf(answered.at(-1)?.rows ?? []);
}

/** The server ends a transaction that is silent for ten seconds. */
async function whileTalking<T>(session: Session, decided: Promise<T>): Promise<T> {
  const over = new AbortController();
  const [writes] = await Promise.all([decided.finally(() => over.abort()), talk(session, over.signal)]);
  return writes;
}

async function talk(session: Session, over: AbortSignal): Promise<void> {
  for (;;) {
    await new Promise<void>((resolve) => {
      const handle = setTimeout(resolve, talkIntervalMs);
      over.addEventListener('abort', () => (clearTimeout(handle), resolve()), { once: true });
    });
    if (over.aborted) return;
    await session.query(sayNothing);
  }
}

function changesOf(transaction: LocalTransaction, writes: readonly LocalWrite[]): readonly Change[] {
  let deltaBytes = 0;
  const changes = writes.map(({ index, delta }) => {
    const id = transaction.ids[index];
    assert(id !== undefined, `a write to no record: ${index}`);
    deltaBytes += delta.length;
    return { collection: id.collection, key: id.key, delta };
  });
  if (!fitsTransaction(changes.length, deltaBytes))
    throw tooLarge('bytes of deltas', maxTransactionDeltaBytes, deltaBytes);
  return changes;
}

function tooLarge(what: string, limit: number, value: number): ReplicationError {
  return new ReplicationError(
    'transaction-too-large',
    `a transaction has ${value} ${what}, at most ${limit} are allowed`,
    { retriable: false },
  );
}
