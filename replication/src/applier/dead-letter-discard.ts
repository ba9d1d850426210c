/**
 * Gives up a change that can never be applied, on an operator's word alone (P4). It goes on holding `settled` until a
 * transfer from where the change is held has brought what the record came to there, so nothing that was acknowledged goes
 * with it; only where the operator takes the loss it is closed at once. What can still be applied is never given up.
 */
import type { DeadLetterPlace, DeadLetterStore, GivingUp } from '../ports/dead-letter-store.ts';
import { type RetryOptions, retryDeadLetter } from './dead-letter-retry.ts';

export interface DiscardOptions extends RetryOptions {
  readonly letters: Pick<DeadLetterStore, 'due' | 'retry' | 'giveUp'>;
}

export type DiscardReport =
  | { readonly outcome: 'gone' }
  /** Nothing is done: it could be tried again instead. */
  | { readonly outcome: 'applicable' }
  | { readonly outcome: 'waiting' | 'lost'; readonly cause: string; readonly detail: string };

/** With `dryRun` it says what would come of it and changes nothing. */
export async function discardDeadLetter(
  options: DiscardOptions,
  place: DeadLetterPlace,
  how: GivingUp & { readonly dryRun: boolean },
): Promise<DiscardReport> {
  const tried = await retryDeadLetter(options, place, true);
  if (tried.outcome !== 'kept') return { outcome: tried.outcome === 'gone' ? 'gone' : 'applicable' };
  const { cause, detail } = tried;
  if (how.dryRun) return { outcome: how.isLossAccepted ? 'lost' : 'waiting', cause, detail };
  const outcome = await options.letters.giveUp(place, how);
  return outcome === 'gone' ? { outcome } : { outcome, cause, detail };
}
