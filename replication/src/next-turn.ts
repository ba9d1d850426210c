/**
 * Work that is done again and again loses nothing by an operating failure: the next turn does it. What is no operating
 * failure is a bug and goes on to whoever runs the turns.
 */
import { ReplicationError } from './errors.ts';

/** For a `Ticker`, or for what is given something in every turn. */
export function orNextTurn<Given extends readonly unknown[]>(
  turn: (...given: Given) => Promise<void>,
  onFailure: (failure: ReplicationError) => void,
): (...given: Given) => Promise<void> {
  return async (...given) => {
    try {
      await turn(...given);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      onFailure(reason);
    }
  };
}
