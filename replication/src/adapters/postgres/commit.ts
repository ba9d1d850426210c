/**
 * Sends the last statements of a transaction together with its COMMIT in one round trip and says exactly what is
 * known of the outcome. An answered COMMIT may still be a rollback: Postgres answers ROLLBACK where an earlier
 * statement of the pipeline failed. Only where the COMMIT was sent and neither a confirmation nor an error that rules
 * it out came back is the outcome unknown; that must never be reported as "nothing happened" (I1).
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
  const results = await session.pipelineSettled([...plan.before, [commit], ...plan.after]);
  const answers: Answer[] = [];
  for (const [index, result] of results.entries()) {
    if (result.status === 'rejected') throw judge(result.reason, index - commitIndex);
    if (index !== commitIndex) answers.push(result.value);
    else assert(result.value.command === 'COMMIT', 'an unfailed transaction rolled back');
  }
  return answers;
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
