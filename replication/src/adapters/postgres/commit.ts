/**
 * Sends the last statements of a transaction together with its COMMIT in one round trip and says exactly what is
 * known of the outcome. Where an earlier statement fails, Postgres does not come to the COMMIT; where one had failed in
 * an earlier round trip, it answers ROLLBACK. Only where the COMMIT was sent and neither a confirmation nor an error that
 * rules it out came back is the outcome unknown; that must never be reported as "nothing happened" (I1).
 */
import { ReplicationError, assert } from '../../errors.ts';
import { isFatal, serverErrorIn } from './postgres-error.ts';
import type { Answer, Call, Session } from './session.ts';
import { commit } from './session.ts';

export interface CommitPlan {
  /** Inside the transaction, before the COMMIT. */
  readonly before: readonly Call[];
  /** Outside it, after the COMMIT. */
  readonly after: readonly Call[];
}

/** Answers to `before` and `after`, in order. Rejects with `outcome-unknown` or with what made it impossible. */
export async function commitWith(session: Session, plan: CommitPlan): Promise<readonly Answer[]> {
  if (session.lost !== null) throw session.lost;
  const commitIndex = plan.before.length;
  const { answers, failure } = await session.send([...plan.before, [commit], ...plan.after]);
  if (failure !== null) throw judge(failure, answers.length - commitIndex);
  assert(answers[commitIndex]?.command === 'COMMIT', 'an unfailed transaction rolled back');
  return answers.toSpliced(commitIndex, 1);
}

/** `place` is negative before the COMMIT, zero at it, positive after it. */
function judge(error: unknown, place: number): unknown {
  const answer = serverErrorIn(error);
  if (answer !== null && (place < 0 || (place === 0 && !isFatal(answer)))) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ReplicationError('outcome-unknown', `the commit was sent and not answered: ${detail}`, {
    retriable: false,
    cause: error,
  });
}
