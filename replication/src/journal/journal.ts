/**
 * Local writes. Edits that arrive while a transaction reads and decides are committed together in the next one (natural
 * batching), and replies come after the commit is durable (I1). A busy process lets the next transaction begin a little
 * later, so that more edits share it, unless many wait already or edits come one by one. Where many wait, the next one
 * begins once the former has decided, so that it reads and decides while the former waits for the disk; a few may wait
 * for it at once, and the server makes them durable together. A caller's edits are all or none; a caller who is
 * refused, or whose edit fails, writes nothing and spoils nobody else's. Callers who touch one record are served in
 * order of arrival, and where they share a transaction peers see one change. Edits of large records take long: after
 * every few of them everything else in the process gets its turn, and other transactions go on beside that one. The
 * journal decides who shares a transaction and never what an edit means; it must never reply before the store has
 * committed.
 */
import { ReplicationError, assert } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Actor } from '../ports/identity.ts';
import type { LocalWrite, LockedRecords, RecordStore } from '../ports/record-store.ts';
import type { SeenCommit } from '../ports/session-store.ts';
import type { Timer } from '../ports/timer.ts';
import { maxStateBytes, maxTransactionRecords } from '../transaction-limits.ts';
import { CallerLine } from './caller-line.ts';
import { distinct, maxEditedBytes, runAll, runEdits, withoutLate } from './decision.ts';
import type { Caller, Outcome, Turns, Verdict } from './decision.ts';
import { TransactionDraft, recordName } from './draft.ts';
import type { Edit, EditContext } from './draft.ts';

export type { Outcome } from './decision.ts';
export type { Edit, EditContext, Edited } from './draft.ts';

/** What one committed batch took; for metrics. */
export interface BatchReport {
  readonly callers: number;
  readonly records: number;
  readonly durationMs: number;
}

export interface JournalOptions {
  readonly store: Pick<RecordStore, 'commitLocal'>;
  readonly clock: Clock;
  readonly actor: Actor;
  readonly timer: Pick<Timer, 'monotonicMs' | 'turn' | 'after'>;
  /** Edits waiting beyond this are refused with `overloaded`. */
  readonly maxWaitingEdits: number;
  /**
   * Milliseconds from the beginning of one transaction to that of the next where more would gain by sharing one; 0 for
   * no such pause. Asked before a transaction that could begin.
   */
  readonly paceMs: () => number;
  readonly onBatch: (report: BatchReport) => void;
}

/** What the line hears of a transaction while it is decided. */
interface Progress {
  readonly decided: () => void;
  /** Said with every turn; others may go on. */
  readonly takesLong: () => void;
}

/** Transactions under way: one that reads and decides, the others wait for the disk. */
const maxInFlight = 3;
/** As many edits make up for the price of a transaction beside another; fewer go together once that one has ended. */
const worthOverlapping = 25;
/** As many edits wait for no others. */
const worthBeginning = 50;
/** Callers of the last transaction and of the next: with fewer they come one by one and a pause would gather nobody. */
const worthPacing = 3;
/** Timers are no finer. */
const shortestPauseMs = 0.5;
/** After a turn the process is left to others for this part of the time that the turn took. */
const pausePerTurn = 0.5;
/** So many transactions may take turns beside those in flight, without counting among them. */
const maxBeside = 3;
/** How much later than due somebody may be told that it takes too long. */
const lookMs = 500;

export class Journal {
  readonly #options: JournalOptions;
  readonly #line = new CallerLine<Caller>();
  #inFlight = 0;
  /** Of those in flight, how many take turns and leave their place to others. */
  #beside = 0;
  #isDeciding = false;
  /** When the last transaction began, and for how many. */
  #begunMs = -Infinity;
  #begunCallers = 0;
  /** Whether a timer will begin the next one. */
  #isPacing = false;
  /** Ends when whoever takes turns may go on: one of them in each turn of the event loop. */
  #turns: Promise<void> = Promise.resolve();
  /** Whether a timer will look for those who have waited too long. */
  #isWatching = false;
  #closed = false;
  #onIdle: (() => void)[] = [];

  constructor(options: JournalOptions) {
    this.#options = options;
  }

  /**
   * Commits the edits in one transaction, all or none. Rejects with `transaction-too-large` beyond 500 records or
   * 1 MiB of deltas (3 MiB for one change alone) and where the edits take more than 64 MiB of stored states, `overloaded`
   * when too much waits or these waited longer than 4 s (nothing happened), `closed` while shutting down, and the store's
   * `database-unavailable` (nothing happened) or `outcome-unknown` (it may or may not have).
   */
  write<T, R>(edits: readonly Edit<T, R>[]): Promise<Outcome<T, R>> {
    const refusal = this.#admission(edits.length);
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      const ids = edits.map((edit) => edit.id);
      const names = ids.map(recordName);
      const run = (draft: TransactionDraft) => runEdits({ edits, names }, draft, resolve);
      const joinedMs = this.#options.timer.monotonicMs();
      this.#line.join({ ids, names, joinedMs, run, fail: reject });
      this.#startNext();
      this.#watch();
    });
  }

  /** Refuses new edits and resolves when those already taken have been answered. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#startNext();
    if (this.#inFlight > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
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
    const waitingEdits = this.#line.edits;
    if (waitingEdits + editCount > this.#options.maxWaitingEdits) {
      const detail = `${waitingEdits} edits wait; at most ${this.#options.maxWaitingEdits}`;
      return new ReplicationError('overloaded', detail, { retriable: true });
    }
    return null;
  }

  #startNext(): void {
    const inFlight = this.#inFlight - this.#beside;
    if (this.#isDeciding || inFlight === maxInFlight) return;
    if (inFlight > 0 && this.#line.edits < worthOverlapping) return;
    if (this.#paces()) return;
    const batch = this.#line.take();
    if (batch.length === 0) {
      if (this.#inFlight === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
      return;
    }
    this.#begunMs = this.#options.timer.monotonicMs();
    this.#begunCallers = batch.length;
    this.#isDeciding = true;
    this.#inFlight++;
    void this.#run(batch);
  }

  /** While somebody waits in line, looks regularly for those who have waited too long. */
  #watch(): void {
    if (this.#isWatching || this.#line.callers === 0) return;
    this.#isWatching = true;
    const { timer } = this.#options;
    timer.after(lookMs, () => {
      this.#isWatching = false;
      const nowMs = timer.monotonicMs();
      this.#line.thin((waiting) => withoutLate(waiting, nowMs));
      this.#watch();
    });
  }

  /** Whether the next transaction is not due yet; it begins by itself when it is. */
  #paces(): boolean {
    const { edits, callers } = this.#line;
    if (this.#closed || callers === 0 || edits >= worthBeginning) return false;
    if (this.#begunCallers + callers < worthPacing) return false;
    if (this.#isPacing) return true;
    const { timer, paceMs } = this.#options;
    const leftMs = this.#begunMs + paceMs() - timer.monotonicMs();
    if (leftMs < shortestPauseMs) return false;
    this.#isPacing = true;
    timer.after(leftMs, () => {
      this.#isPacing = false;
      this.#startNext();
    });
    return true;
  }

  async #run(batch: readonly Caller[]): Promise<void> {
    let isDeciding = true;
    const decided = (): void => {
      if (!isDeciding) return;
      isDeciding = false;
      this.#isDeciding = false;
    };
    let isBeside = false;
    // Where the database is lost meanwhile, what was begun to be decided goes on for a while.
    let isOver = false;
    const postponed = await this.#commit(batch, {
      decided: () => {
        decided();
        // Not before the store has sent what was decided.
        queueMicrotask(() => this.#startNext());
      },
      takesLong: () => {
        if (isOver || isBeside || this.#beside === maxBeside) return;
        isBeside = true;
        this.#beside++;
        decided();
        this.#startNext();
      },
    });
    isOver = true;
    decided();
    if (isBeside) this.#beside--;
    this.#inFlight--;
    this.#line.release(batch, postponed);
    this.#startNext();
  }

  /** Answers all callers of the batch but those who have to come again. */
  async #commit(callers: readonly Caller[], progress: Progress): Promise<readonly Caller[]> {
    const { store, timer } = this.#options;
    const startedMs = timer.monotonicMs();
    const batch = withoutLate(callers, startedMs);
    if (batch.length === 0) return [];
    const { ids, indexes } = distinct(batch);
    let verdicts: readonly Verdict[] = [];
    const decide = (locked: LockedRecords) => {
      const draft = new TransactionDraft(indexes, locked.states, this.#context(locked));
      const decided = (found: readonly Verdict[]): readonly LocalWrite[] => {
        verdicts = found;
        progress.decided();
        return draft.writes();
      };
      const work = runAll(batch, draft, timer);
      const turn = work.next();
      if (turn.done === true) return decided(turn.value);
      return this.#goOn(work, progress.takesLong).then(decided);
    };
    let commit: SeenCommit | null = null;
    try {
      const most = batch.length === 1 ? maxEditedBytes : maxStateBytes;
      commit = await store.commitLocal({ ids, maxStateBytes: most, decide });
    } catch (reason) {
      if (batch.length > 1 && isTooLarge(reason)) return this.#commitHalf(batch, progress);
      for (const caller of batch) caller.fail(reason);
      return [];
    }
    const postponed = answer(batch, verdicts, commit);
    const durationMs = timer.monotonicMs() - startedMs;
    this.#options.onBatch({
      callers: batch.length,
      records: ids.length,
      durationMs,
    });
    return postponed;
  }

  /** Their records are too large for one transaction. Those who came first go first; the others come again. */
  async #commitHalf(batch: readonly Caller[], progress: Progress): Promise<readonly Caller[]> {
    const half = Math.floor(batch.length / 2);
    const postponed = await this.#commit(batch.slice(0, half), progress);
    return [...postponed, ...batch.slice(half)];
  }

  async #goOn(work: Turns, takesLong: () => void): Promise<readonly Verdict[]> {
    const { timer } = this.#options;
    let pauseMs = 0;
    for (;;) {
      takesLong();
      await this.#nextTurn(pauseMs);
      const beganMs = timer.monotonicMs();
      const turn = work.next();
      if (turn.done === true) return turn.value;
      pauseMs = (timer.monotonicMs() - beganMs) * pausePerTurn;
    }
  }

  #nextTurn(pauseMs: number): Promise<void> {
    const { timer } = this.#options;
    const turn = () =>
      new Promise<void>((resolve) => {
        timer.after(pauseMs, () => timer.turn(resolve));
      });
    this.#turns = this.#turns.then(turn);
    return this.#turns;
  }

  #context(locked: LockedRecords): EditContext {
    return {
      actor: this.#options.actor,
      floor: locked.floor,
      floorMs: locked.floorMs,
      now: Math.floor(this.#options.clock.nowMs()),
    };
  }
}

/** Nothing was done. */
function isTooLarge(reason: unknown): boolean {
  return reason instanceof ReplicationError && reason.code === 'transaction-too-large';
}

/** The callers who did not fit beside the others. */
function answer(
  batch: readonly Caller[],
  verdicts: readonly Verdict[],
  commit: SeenCommit | null,
): readonly Caller[] {
  const postponed: Caller[] = [];
  for (const [index, caller] of batch.entries()) {
    const verdict = verdicts[index];
    assert(verdict !== undefined, 'every caller of a committed batch has a verdict');
    if (verdict.kind === 'answer') verdict.reply(commit);
    else if (verdict.kind === 'throw') caller.fail(verdict.reason);
    else postponed.push(caller);
  }
  assert(postponed.length < batch.length, 'the first caller of a batch is never postponed');
  return postponed;
}
