/**
 * One step of a history as plain data. Deltas and states that are sent have numbers, so that a history of which steps
 * were taken out still means something: a step whose source is missing does nothing.
 */
import type { Operation } from './operation.ts';

/** A delta of an edit, or a state as it was when it was sent. */
export type Source =
  | { readonly of: 'delta'; readonly number: number }
  | { readonly of: 'state'; readonly number: number };

/** One step of a history; replicas are given by index, deltas and states by number. */
export type Action =
  | {
      readonly does: 'edit';
      readonly replica: number;
      /** The delta's number. */
      readonly number: number;
      readonly now: number;
      readonly operations: readonly Operation[];
    }
  | { readonly does: 'send state'; readonly replica: number; readonly number: number }
  /** Sources are joined with each other first, then into the replica. */
  | { readonly does: 'merge'; readonly replica: number; readonly sources: readonly Source[] }
  /** The replica goes on under a new actor's name and never uses the old one again. */
  | { readonly does: 'rename'; readonly replica: number; readonly actor: string }
  /** Everybody gets every delta, in an order of its own; then all must agree. */
  | { readonly does: 'settle'; readonly seed: number }
  /**
   * Settles; where the record is dead and everything in it was seen to go, one replica alone collects it, at once
   * creates it again, and tells the others, which still hold what it has collected.
   */
  | {
      readonly does: 'create again';
      readonly replica: number;
      /** The delta's number. */
      readonly number: number;
      readonly now: number;
      readonly operations: readonly Operation[];
      readonly seed: number;
    }
  /** Settles, asks the horizon, collects what is stable, everywhere or at some replicas, and drops the record if it is dead everywhere. */
  | { readonly does: 'collect'; readonly seed: number; readonly by: 'all' | 'some' };

export function describeAction(action: Action): string {
  const { does, ...rest } = action;
  return `${does} ${JSON.stringify(rest)}`;
}
