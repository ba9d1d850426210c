/**
 * Local writes. Edits that arrive while a transaction is in flight are committed together in the next one (natural
 * batching): no timer, one transaction in flight, replies after the commit is durable (I1). A caller's edits are all
 * or none; a caller who is refused, or whose edit fails, writes nothing and spoils nobody else's. Two callers who
 * touch one record in one batch are served in order of arrival, and peers see one change. The journal decides who
 * shares a transaction and never what an edit means; it must never reply before the store has committed.
 */
import { ReplicationError, assert } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';
import type { Clock } from '../ports/clock.ts';
import type { Actor } from '../ports/identity.ts';
import type { LockedRecords, RecordStore } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import { maxTransactionRecords } from '../transaction-limits.ts';
import { TransactionDraft, recordName } from './draft.ts';
import type { Edit, EditContext } from './draft.ts';

export type { Edit, EditContext, Edited } from './draft.ts';

export type Outcome<T, R> =
  | { readonly kind: 'done'; readonly results: readonly T[] }
  | { readonly kind: 'refused'; readonly index: number; readonly refusal: R };

/** What one committed batch took; for metrics. */
export interface BatchReport {
  readonly callers: number;
  readonly records: number;
  readonly durationMs: number;
}

export interface JournalOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly actor: Actor;
  readonly timer: Pick<Timer, 'monotonicMs'>;
  /** Edits waiting beyond this are refused with `overloaded`. */
  readonly maxWaitingEdits: number;
  readonly onBatch: (report: BatchReport) => void;
}

/** One caller's edits with the types of its results closed over. */
interface Caller {
  readonly ids: readonly RecordId[];
  /** Runs all edits on the draft; says how to answer once the transaction is durable. */
  readonly run: (draft: TransactionDraft) => Verdict;
  readonly fail: (reason: unknown) => void;
}

type Verdict =
  | { readonly kind: 'answer'; readonly reply: () => void }
  | { readonly kind: 'postpone' }
  | { readonly kind: 'throw'; readonly reason: unknown };

export class Journal {
  readonly #options: JournalOptions;
  readonly #waiting: Caller[] = [];
  #waitingEdits = 0;
  #draining: Promise<void> | null = null;
  #closed = false;

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /**
   * Commits the edits in one transaction, all or none. Rejects with `transaction-too-large` beyond 500 records or
   * 1 MiB of deltas (3 MiB for one change alone), `overloaded` when too much waits, `closed` while shutting down, and the store's
   * `database-unavailable` (nothing happened) or `outcome-unknown` (it may or may not have).
   */
  write<T, R>(edits: readonly Edit<T, R>[]): Promise<Outcome<T, R>> {
    const refusal = this.#admission(edits.length);
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        ids: edits.map((edit) => edit.id),
        run: (draft) => runEdits(edits, draft, resolve),
        fail: reject,
      });
      this.#waitingEdits += edits.length;
      this.#draining ??= this.#drain();
    });
  }

  /** Refuses new edits and resolves when those already taken have been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  #admission(editCount: number): ReplicationError | null {
    if (this.#closed)
      return new ReplicationError('closed', 'the journal is closed', {
        retriable: true,
      });
    if (editCount > maxTransactionRecords) {
      const detail = `${editCount} edits in one transaction; at most ${maxTransactionRecords}`;
      return new ReplicationError('transaction-too-large', detail, {
        retriable: false,
      });
    }
    if (this.#waitingEdits + editCount > this.#options.maxWaitingEdits) {
      const detail = `${this.#waitingEdits} edits wait; at most ${this.#options.maxWaitingEdits}`;
      return new ReplicationError('overloaded', detail, { retriable: true });
    }
    return null;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) await this.#commit(this.#takeBatch());
    this.#draining = null;
  }

  /** The longest run of callers from the front whose edits fit into one transaction; at least one caller. */
  #takeBatch(): readonly Caller[] {
    let edits = 0;
    let callers = 0;
    for (const caller of this.#waiting) {
      if (callers > 0 && edits + caller.ids.length > maxTransactionRecords) break;
      edits += caller.ids.length;
      callers++;
    }
    this.#waitingEdits -= edits;
    return this.#waiting.splice(0, callers);
  }

  async #commit(batch: readonly Caller[]): Promise<void> {
    const { store, timer } = this.#options;
    const startedMs = timer.monotonicMs();
    const { ids, indexes } = distinct(batch.flatMap((caller) => caller.ids));
    let verdicts: readonly Verdict[] = [];
    const decide = (locked: LockedRecords) => {
      const draft = new TransactionDraft(indexes, locked.states, this.#context(locked));
      verdicts = batch.map((caller) => runGuarded(caller, draft));
      return draft.writes();
    };
    try {
      await store.commitLocal({ ids, decide });
    } catch (reason) {
      for (const caller of batch) caller.fail(reason);
      return;
    }
    this.#answer(batch, verdicts);
    const durationMs = timer.monotonicMs() - startedMs;
    this.#options.onBatch({
      callers: batch.length,
      records: ids.length,
      durationMs,
    });
  }

  #context(locked: LockedRecords): EditContext {
    return {
      actor: this.#options.actor,
      floor: locked.floor,
      floorMs: locked.floorMs,
      now: Math.floor(this.#options.clock.nowMs()),
    };
  }

  #answer(batch: readonly Caller[], verdicts: readonly Verdict[]): void {
    const postponed: Caller[] = [];
    for (const [index, caller] of batch.entries()) {
      const verdict = verdicts[index];
      assert(verdict !== undefined, 'every caller of a committed batch has a verdict');
      if (verdict.kind === 'answer') verdict.reply();
      else if (verdict.kind === 'throw') caller.fail(verdict.reason);
      else postponed.push(caller);
    }
    assert(postponed.length < batch.length, 'the first caller of a batch is never postponed');
    for (const caller of postponed) this.#waitingEdits += caller.ids.length;
    this.#waiting.unshift(...postponed);
  }
}

/** An edit that throws is its caller's failure alone. */
function runGuarded(caller: Caller, draft: TransactionDraft): Verdict {
  try {
    return caller.run(draft);
  } catch (reason) {
    draft.discard();
    return { kind: 'throw', reason };
  }
}

function runEdits<T, R>(
  edits: readonly Edit<T, R>[],
  draft: TransactionDraft,
  resolve: (outcome: Outcome<T, R>) => void,
): Verdict {
  const results: T[] = [];
  for (const [index, { id, edit }] of edits.entries()) {
    const name = recordName(id);
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
  return { kind: 'answer', reply: () => resolve({ kind: 'done', results }) };
}

/** Each record once, and its place by name. */
function distinct(all: readonly RecordId[]): {
  readonly ids: readonly RecordId[];
  readonly indexes: ReadonlyMap<string, number>;
} {
  const ids: RecordId[] = [];
  const indexes = new Map<string, number>();
  for (const id of all) {
    const name = recordName(id);
    if (indexes.has(name)) continue;
    indexes.set(name, ids.length);
    ids.push(id);
  }
  return { ids, indexes };
}
