/**
 * Work that is done again and again loses nothing by an operating failure: the next turn does it. What is no operating
 * failure is a bug and goes on to whoever runs the turns.
 */
import { ReplicationError } from './errors.ts';

/** For a `Ticker`. */
export function orNextTurn(
  turn: () => Promise<void>,
  onFailure: (failure: ReplicationError) => void,
): () => Promise<void> {
  return async () => {
    try {
      await turn();
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      onFailure(reason);
    }
  };
}
