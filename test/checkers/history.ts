/**
 * What clients did and were told, in the order of one monotonic clock. An answer that may or may not have happened
 * (a time-out, a lost connection, a 5xx) is `info` and never `fail`, because the write may be there. Checkers read
 * histories and final dumps and nothing else, so that the same ones judge real servers and a simulation.
 */
export type Operation =
  | { readonly kind: 'increment'; readonly key: string; readonly amount: number }
  | { readonly kind: 'set'; readonly key: string; readonly value: string }
  | { readonly kind: 'insert'; readonly key: string }
  /** Elements are unique: each is added once. */
  | { readonly kind: 'add'; readonly key: string; readonly element: string }
  /** Removes an element that it saw; `null`: it saw none. */
  | { readonly kind: 'remove'; readonly key: string; readonly element: string | null }
  | { readonly kind: 'refill'; readonly key: string; readonly amount: number }
  | { readonly kind: 'spend'; readonly key: string; readonly amount: number }
  /** Writes a value that is unique into a record that may be deleted. */
  | { readonly kind: 'put'; readonly key: string; readonly value: string }
  /** Deletes the record with the value that it saw; `null`: it saw none. */
  | { readonly kind: 'delete'; readonly key: string; readonly saw: string | null }
  /** Writes a token that is unique into a text, in one piece. */
  | { readonly kind: 'note'; readonly key: string; readonly token: string };

export type Result = 'ok' | 'fail' | 'info';

export interface HistoryEvent {
  /** One writer; its operations follow each other. */
  readonly process: string;
  readonly region: string;
  readonly operation: Operation;
  readonly invokedAtMs: number;
  readonly completedAtMs: number;
  readonly result: Result;
  /** HTTP status; `null`: none came. */
  readonly status: number | null;
  /** Values that its region had put aside, or had not learnt again, so that it could not see them. */
  readonly aside?: ReadonlySet<string>;
}

export type History = readonly HistoryEvent[];

/** What a checker found; an empty list is a pass. */
export interface Violation {
  readonly checker: string;
  readonly key: string;
  readonly detail: string;
}

export function countOf(history: History, kind: Operation['kind'], result: Result): number {
  return history.filter((event) => event.operation.kind === kind && event.result === result).length;
}
