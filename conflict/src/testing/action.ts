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
      /** Where the replica's state is as the last barrier found it, the edit knows that everybody has seen it. */
      readonly asksHorizon: boolean;
    }
  | { readonly does: 'send state'; readonly replica: number; readonly number: number }
  /** Sources are joined with each other first, then into the replica. */
  | { readonly does: 'merge'; readonly replica: number; readonly sources: readonly Source[] }
  /** The replica goes on under a new actor's name and never uses the old one again. */
  | { readonly does: 'rename'; readonly replica: number; readonly actor: string }
  /** Everybody gets every delta, in an order of its own; then all must agree. */
  | { readonly does: 'settle'; readonly seed: number }
  /** Settles; from then on nothing older is under way, and states that do not change are stable. */
  | { readonly does: 'barrier'; readonly seed: number }
  /** Some of the replicas whose state is stable and droppable drop it, whatever others hold. */
  | { readonly does: 'drop'; readonly seed: number }
  /** A barrier, then compaction, everywhere or at some replicas. Where nothing is left of the record, all drop it. */
  | { readonly does: 'collect'; readonly seed: number; readonly by: 'all' | 'some' };

export function describeAction(action: Action): string {
  const { does, ...rest } = action;
  return `${does} ${JSON.stringify(rest)}`;
}
