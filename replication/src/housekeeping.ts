/**
 * Drops what nobody needs any more: old beats, and dead letters that have been closed for long or by the thousands. It
 * comes in small transactions, so many in a turn and no more; what is left over is done in the next turn.
 */
import { droppedAtOnce } from './letter-limits.ts';
import type { BeatStore } from './ports/beat-store.ts';
import type { DeadLetterStore } from './ports/dead-letter-store.ts';

const transactionsPerTurn = 20;

export interface Housekept {
  readonly beats: Pick<BeatStore, 'prune'>;
  readonly letters: Pick<DeadLetterStore, 'prune'>;
}

export async function keepHouse({ beats, letters }: Housekept): Promise<void> {
  await beats.prune();
  for (let count = 0; count < transactionsPerTurn; count++)
    if ((await letters.prune()) < droppedAtOnce) return;
}
