/**
 * A history in which the library broke one of its laws. It carries everything that is needed to see it again: the
 * seed, the step, and the shortest list of steps that was found to fail in the same way.
 */
import { type Action, describeAction } from './action.ts';

export interface HistoryFailureDetails {
  readonly seed: number;
  /** Of the whole history, counted from 0. */
  readonly step: number;
  /** Steps that lead to a failure, as few as were found. */
  readonly trace: readonly Action[];
  /** How to play the whole history again. */
  readonly replay: string;
  readonly cause?: unknown;
}

/** The library broke a law; the message says which, and how to play the history again. */
export class HistoryFailure extends Error {
  override readonly name = 'HistoryFailure';
  /** The history's. */
  readonly seed: number;
  /** Of the whole history, counted from 0. */
  readonly step: number;
  /** Steps that lead to a failure, as few as were found. */
  readonly trace: readonly Action[];

  /** Takes the failure in words and its details. */
  constructor(message: string, { seed, step, trace, replay, cause }: HistoryFailureDetails) {
    const lines = trace.map((action, index) => `  ${index + 1}. ${describeAction(action)}`);
    super(`seed ${seed}, step ${step}: ${message}\n${lines.join('\n')}\nagain: ${replay}`, { cause });
    this.seed = seed;
    this.step = step;
    this.trace = trace;
  }
}

/** What a single step found; a history turns it into a failure with a trace. */
export class Broken extends Error {
  override readonly name = 'Broken';
}
