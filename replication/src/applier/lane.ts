/**
 * Applies the partitions of one origin that are given to it, one transaction at a time: what has arrived for any of
 * them while one is in flight goes into the next, empty intervals too, so that a commit which the origin spread over
 * its partitions costs one commit here. Where more waits than one transaction carries, a second one is in flight beside
 * it, so that one decides while the database works for the other. No two share a partition, nor do two lanes. All
 * positions of a transaction move from the values they had or none does (I2, P4); what went wrong together is tried
 * again partition by partition beside the rest, so that one that is fenced, odd or full of dead letters cannot hold back
 * the others.
 */
import { ReplicationError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { ApplyOutcome, DeadLetter, RecordStore } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import { batchOf, decide } from './batch.ts';
import type { Batch, Decided } from './batch.ts';
import type { PartitionQueue, Taken } from './partition-queue.ts';
import { PutAsideNotes } from './put-aside-notes.ts';
import { maxStateBytes } from '../transaction-limits.ts';

export interface AppliedReport {
  readonly origin: RegionId;
  readonly records: number;
  readonly changes: number;
  readonly durationMs: number;
  /** From the arrival of the oldest of it to the beginning of the transaction. */
  readonly waitedMs: number;
  readonly conflicts: readonly {
    readonly collection: string;
    readonly fields: number;
  }[];
  readonly deadLetters: number;
  /**
   * Time, by the origin's clock, of the beat that became visible: the oldest, where partitions got different ones;
   * `null`: none did.
   */
  readonly beatAtMs: number | null;
}

export interface LaneOptions {
  readonly origin: RegionId;
  readonly partitions: readonly PartitionQueue[];
  readonly store: Pick<RecordStore, 'applyRemote'>;
  readonly clock: Clock;
  readonly timer: Timer;
  /** Remote stamps further ahead of our clock than this are put aside. */
  readonly maxDriftMs: number;
  readonly signal: AbortSignal;
  readonly logger: Logger;
  readonly onApplied: (report: AppliedReport) => void;
  /** A transaction was refused, because another applier had moved one of its positions. */
  readonly onFenced: (origin: RegionId) => void;
}

/** While live, batches stay small so that one slow commit does not make the next ones larger and slower. */
const liveChanges = 500;
const backlogChanges = 2000;
const backlogBytes = 256 * 1024;
const transactionBytes = 4 * 1024 * 1024;
/** Local writers of the same records wait for as long, and for no more than a few of them. */
const transactionMs = 100;
/** A slow database gets no fewer for that. */
const leastChanges = 20;

export class Lane {
  readonly #options: LaneOptions;
  readonly #putAside: PutAsideNotes;
  #first = 0;
  /** As many as the database takes within `transactionMs`, by the last ones. */
  #roomForChanges = backlogChanges;
  /** Partitions of transactions in flight. */
  readonly #held = new Set<PartitionQueue>();
  #running: Promise<void> | null = null;
  #beside: Promise<void> | null = null;
  /** The transaction of a partition that is tried alone; one at a time. */
  #aside: Promise<void> | null = null;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#putAside = new PutAsideNotes(options);
  }

  /** One of the partitions may have something to apply. */
  wake(): void {
    this.#running ??= this.#run();
    this.#help();
  }

  /** Resolves when no transaction is in flight; call after the signal is aborted. */
  async settle(): Promise<void> {
    await Promise.all([this.#running, this.#beside, this.#aside]);
  }

  async #run(): Promise<void> {
    do {
      // What one fetch brought is handed over partition by partition within a turn of the event loop.
      await this.#turn();
      const taken = this.#take();
      if (taken.length === 0) break;
      const applying = this.#apply(taken);
      this.#help();
      await applying;
    } while (waitingBytes(this.#options.partitions) > 0);
    this.#running = null;
  }

  #help(): void {
    if (this.#held.size > 0 && this.#isBehind()) this.#beside ??= this.#runBeside();
  }

  async #runBeside(): Promise<void> {
    while (this.#isBehind()) {
      await this.#turn();
      const taken = this.#take();
      if (taken.length === 0) break;
      await this.#apply(taken);
    }
    this.#beside = null;
    this.wake();
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => this.#options.timer.turn(resolve));
  }

  /** Whether more waits for a transaction, beside what is in flight, than one should leave to the next. */
  #isBehind(): boolean {
    const moving = this.#free(this.#options.partitions).filter(({ lacksRoom }) => !lacksRoom);
    return waitingBytes(moving) > backlogBytes;
  }

  #take(): readonly Taken[] {
    if (this.#options.signal.aborted) return [];
    const ready = this.#inTurn().filter((partition) => partition.advance());
    const alone = ready.find((partition) => partition.isAlone);
    if (alone !== undefined) this.#aside ??= this.#applyAside(alone);
    return this.#fill(ready.filter((partition) => !partition.isAlone));
  }

  /** Beside the others, which must not wait for a partition that may wait long for a lock. */
  async #applyAside(alone: PartitionQueue): Promise<void> {
    await this.#apply(this.#fill([alone]));
    this.#aside = null;
    this.wake();
  }

  /** Another one comes first each time, because the first gets all the room that it wants. */
  #inTurn(): readonly PartitionQueue[] {
    const { partitions } = this.#options;
    this.#first = (this.#first + 1) % partitions.length;
    return this.#free([...partitions.slice(this.#first), ...partitions.slice(0, this.#first)]);
  }

  #free(partitions: readonly PartitionQueue[]): readonly PartitionQueue[] {
    return partitions.filter((partition) => !this.#held.has(partition));
  }

  #fill(ready: readonly PartitionQueue[]): readonly Taken[] {
    const most = waitingBytes(ready) > backlogBytes ? backlogChanges : liveChanges;
    let changes = Math.min(most, this.#roomForChanges);
    let bytes = transactionBytes;
    const filled: Taken[] = [];
    for (const partition of ready) {
      const taken = partition.take({ changes, bytes, isEmpty: filled.length === 0 });
      if (taken === null) continue;
      changes -= taken.collected.changes.length;
      bytes -= taken.collected.byteCount;
      filled.push(taken);
    }
    return filled;
  }

  async #apply(taken: readonly Taken[]): Promise<void> {
    const { logger, origin, onFenced } = this.#options;
    const partitions = taken.map(({ move }) => move.partition);
    for (const { queue } of taken) this.#held.add(queue);
    try {
      const outcome = await this.#transact(taken);
      if (outcome === 'applied') return;
      if (outcome === 'fenced') {
        logger.warn({ origin, partitions }, 'fenced: a position was moved by somebody else');
        onFenced(origin);
      }
      for (const { queue } of taken) queue.retry(outcome);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
      this.#shrink(taken);
      if (reason.code === 'transaction-too-large') return;
      logger.warn({ err: reason, origin, partitions }, 'the applier waits');
      for (const { queue } of taken) queue.retry('failed');
    } finally {
      for (const { queue } of taken) this.#held.delete(queue);
    }
  }

  async #transact(taken: readonly Taken[]): Promise<ApplyOutcome> {
    const { origin, store, clock, timer, maxDriftMs, onApplied } = this.#options;
    const batch = batchOf(
      taken.map(({ move, collected }) => ({ partition: move.partition, changes: collected.changes })),
    );
    const startedMs = timer.monotonicMs();
    let decided: Decided = { writes: [], deadLetters: [], conflicts: [] };
    const outcome = await store.applyRemote({
      origin,
      positions: taken.map(({ move }) => move),
      ids: batch.ids,
      maxStateBytes: isOneCommit(taken) ? Infinity : maxStateBytes,
      decide: (states) => {
        decided = decide(batch, states, clock.nowMs() + maxDriftMs);
        const { writes, deadLetters, conflicts } = decided;
        return { writes, deadLetters: deadLetters.map((letter) => placed(letter, taken)), conflicts };
      },
    });
    if (outcome !== 'applied') return outcome;
    for (const { queue, collected } of taken) queue.accept(collected);
    this.#putAside.note(decided.deadLetters);
    const durationMs = timer.monotonicMs() - startedMs;
    this.#learn(batch.changeCount, durationMs);
    onApplied({
      origin,
      ...figures(batch, decided),
      durationMs,
      waitedMs: startedMs - Math.min(...taken.map(({ arrivedMs }) => arrivedMs)),
      beatAtMs: oldestBeat(taken),
    });
    return 'applied';
  }

  /** Small ones say nothing of large ones, unless they took too long; none changes the size by more than twofold. */
  #learn(changes: number, durationMs: number): void {
    const room = this.#roomForChanges;
    if (changes < room / 2 && durationMs < transactionMs) return;
    const fitting = (changes * transactionMs) / Math.max(durationMs, 1);
    const next = Math.min(room * 2, Math.max(room / 2, fitting));
    const least = Math.min(leastChanges, room * 2);
    this.#roomForChanges = Math.round(Math.min(backlogChanges, Math.max(least, next)));
  }

  /**
   * What was too much once is never tried again as it was, whatever the reason: down to one commit, and from there it
   * grows again with each that goes through.
   */
  #shrink(taken: readonly Taken[]): void {
    const tried = taken.reduce((sum, { collected }) => sum + collected.changes.length, 0);
    if (tried === 0) return;
    const room = Math.min(this.#roomForChanges, tried);
    this.#roomForChanges = Math.max(1, Math.floor(room / 2));
  }
}

/** It cannot be made smaller. */
function isOneCommit(taken: readonly Taken[]): boolean {
  const [first, ...others] = taken
    .map(({ collected }) => collected.changes)
    .filter(({ length }) => length > 0);
  return others.length === 0 && first?.[0]?.lsn === first?.at(-1)?.lsn;
}

/** With the last beat before it of those that came with it, up to which its partition is settled. */
function placed(letter: DeadLetter, taken: readonly Taken[]): DeadLetter {
  const home = taken.find(({ move }) => move.partition === letter.partition);
  const beatBefore = home?.collected.beats.findLast(({ end }) => end < letter.lsn) ?? null;
  return { ...letter, beatBefore };
}

function waitingBytes(partitions: readonly PartitionQueue[]): number {
  return partitions.reduce((sum, { queuedBytes }) => sum + queuedBytes, 0);
}

function figures(batch: Batch, { writes, deadLetters, conflicts }: Decided) {
  return {
    records: writes.length,
    changes: batch.changeCount,
    deadLetters: deadLetters.length,
    conflicts: conflicts.map(({ index, fields }) => {
      return { collection: batch.ids[index]?.collection ?? '', fields };
    }),
  };
}

function oldestBeat(taken: readonly Taken[]): number | null {
  let oldestMs: number | null = null;
  for (const { move } of taken)
    if (move.beat !== null && (oldestMs === null || move.beat.atMs < oldestMs)) oldestMs = move.beat.atMs;
  return oldestMs;
}
