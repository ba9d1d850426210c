/**
 * What the callers of one transaction want is decided here, once their records are read and locked: in order of arrival, in
 * turns of bounded work, and none who waited so long that nobody expects it any more. One caller's failure is nobody else's.
 */
import { ReplicationError } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';
import type { SeenCommit } from '../ports/session-store.ts';
import type { Timer } from '../ports/timer.ts';
import type { Edit, TransactionDraft } from './draft.ts';

/** Edits work on as many bytes in one turn of the event loop, and at most one edit more: a few milliseconds. */
const maxBytesPerTurn = 256 * 1024;
/**
 * Of stored states that the edits of one caller take, each counted for each edit: seconds of work. Locks are held
 * meanwhile, so whoever asks for more is refused before any of it is done.
 */
export const maxEditedBytes = 64 * 1024 * 1024;
/**
 * From the call to the decision. Who asked has given up by then or soon will, and may have written the same record
 * elsewhere since: a process that was stopped would put the older edit over the newer one.
 */
const maxWaitMs = 4000;

export type Outcome<T, R> =
  /** `commit`: `null` where nothing had to be written. */
  | { readonly kind: 'done'; readonly results: readonly T[]; readonly commit: SeenCommit | null }
  | { readonly kind: 'refused'; readonly index: number; readonly refusal: R };

/** One caller's edits with the types of its results closed over. */
export interface Caller {
  readonly ids: readonly RecordId[];
  readonly names: readonly string[];
  readonly joinedMs: number;
  /** Runs all edits on the draft, and stops before each; says how to answer once the transaction is durable. */
  readonly run: (draft: TransactionDraft) => Generator<void, Verdict>;
  readonly fail: (reason: unknown) => void;
}

export type Verdict =
  | { readonly kind: 'answer'; readonly reply: (commit: SeenCommit | null) => void }
  | { readonly kind: 'postpone' }
  | { readonly kind: 'throw'; readonly reason: unknown };

/** One `next` is one turn's work. */
export type Turns = Generator<void, readonly Verdict[]>;

/** Verdicts in the order of the callers. */
export function* runAll(
  batch: readonly Caller[],
  draft: TransactionDraft,
  timer: Pick<Timer, 'monotonicMs'>,
): Turns {
  const verdicts: Verdict[] = [];
  let untilBytes = maxBytesPerTurn;
  for (const caller of batch) {
    const edits = runGuarded(caller, draft, timer.monotonicMs());
    let edit = edits.next();
    for (; edit.done !== true; edit = edits.next()) {
      if (draft.workedBytes < untilBytes) continue;
      yield;
      untilBytes = draft.workedBytes + maxBytesPerTurn;
    }
    verdicts.push(edit.value);
  }
  return verdicts;
}

/** An edit that throws is its caller's failure alone. */
function* runGuarded(caller: Caller, draft: TransactionDraft, nowMs: number): Generator<void, Verdict> {
  try {
    checkWait(nowMs - caller.joinedMs);
    return yield* caller.run(draft);
  } catch (reason) {
    draft.discard();
    return { kind: 'throw', reason };
  }
}

export function* runEdits<T, R>(
  { edits, names }: { readonly edits: readonly Edit<T, R>[]; readonly names: readonly string[] },
  draft: TransactionDraft,
  resolve: (outcome: Outcome<T, R>) => void,
): Generator<void, Verdict> {
  checkWork(names.reduce((sum, name) => sum + draft.sizeOf(name), 0));
  const results: T[] = [];
  for (const [index, { edit }] of edits.entries()) {
    yield;
    const name = names[index] ?? '';
    const edited = edit(draft.state(name), draft.context);
    if (edited.kind === 'refuse') {
      draft.discard();
      const { refusal } = edited;
      return {
        kind: 'answer',
        reply: () => resolve({ kind: 'refused', index, refusal }),
      };
    }
    if (edited.kind === 'write') draft.stage(name, edited.state, edited.delta);
    results.push(edited.result);
  }
  if (!draft.accept()) return { kind: 'postpone' };
  return { kind: 'answer', reply: (commit) => resolve({ kind: 'done', results, commit }) };
}

function checkWait(waitedMs: number): void {
  if (waitedMs > maxWaitMs) throw tooLate(waitedMs);
}

/** Whoever waited too long already is told so before any record is read for it, which is time that others need. */
export function withoutLate(batch: readonly Caller[], nowMs: number): readonly Caller[] {
  return batch.filter(({ joinedMs, fail }) => {
    const isLate = nowMs - joinedMs > maxWaitMs;
    if (isLate) fail(tooLate(nowMs - joinedMs));
    return !isLate;
  });
}

function tooLate(waitedMs: number): ReplicationError {
  const detail = `the edits waited for ${Math.round(waitedMs)} ms; at most ${maxWaitMs}`;
  return new ReplicationError('overloaded', detail, { retriable: true });
}

function checkWork(editedBytes: number): void {
  if (editedBytes <= maxEditedBytes) return;
  const detail = `the edits of one transaction take ${editedBytes} bytes of records, counted for each edit; at most ${maxEditedBytes}`;
  throw new ReplicationError('transaction-too-large', detail, { retriable: false });
}

/** Each record once, and its place by name. */
export function distinct(batch: readonly Caller[]): {
  readonly ids: readonly RecordId[];
  readonly indexes: ReadonlyMap<string, number>;
} {
  const ids: RecordId[] = [];
  const indexes = new Map<string, number>();
  for (const caller of batch) {
    for (const [place, id] of caller.ids.entries()) {
      const name = caller.names[place] ?? '';
      if (indexes.has(name)) continue;
      indexes.set(name, ids.length);
      ids.push(id);
    }
  }
  return { ids, indexes };
}
