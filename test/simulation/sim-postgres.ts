/**
 * A region's Postgres as one process reaches it: every port of the engine that lives on the database, each call a
 * request over a connection that can be cut. The process's locks and its stream fall when its sessions end, whether
 * it knows that or not.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { RecordId } from '@isthmus/replication/ports/change';
import type {
  DeadLetterPlace,
  DeadLetterStore,
  FateCount,
  GivingUp,
  OpenDeadLetter,
  DecideRetry,
  DueDeadLetter,
  RetryOutcome,
} from '@isthmus/replication/ports/dead-letter-store';
import type { MemoryIdentityStore } from '@isthmus/replication/adapters/memory/identity-store';
import { type Incarnation, type RegionId, sameIncarnation } from '@isthmus/replication/ports/identity';
import type {
  ApplyDecision,
  ApplyOutcome,
  ApplyTransaction,
  ConflictingQuery,
  DeadLetterCount,
  ListQuery,
  LocalTransaction,
  LocalWrite,
  PositionRow,
  RecordStore,
  StoredRecord,
} from '@isthmus/replication/ports/record-store';
import type { SeenCommit } from '@isthmus/replication/ports/session-store';
import type { HeldLock, RoleLock } from '@isthmus/replication/ports/role-lock';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { Oracle } from './oracle.ts';
import type { ProcessWorld, RequestKind, SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';

export const readKind: RequestKind = {
  leastMs: 0.05,
  mostMs: 0.4,
  isPipelined: true,
  needsProcess: false,
  refused: unavailable,
  lost: unavailable,
};
export const commitKind: RequestKind = { ...readKind, leastMs: 0.3, mostMs: 1.5, isPipelined: false };
/** A transaction in the middle of which the process decides. */
export const decideKind: RequestKind = { ...commitKind, needsProcess: true };
/** Opens a connection of its own, of which nothing is asked: its reader runs under a lock that needs proof. */
export const openStreamKind: RequestKind = { ...commitKind, refused: streamLost, lost: streamLost };
const localCommitKind: RequestKind = { ...decideKind, lost: unknownOutcome };
/** How soon a holder notices that its lock is gone. */
export const noticeMs = 500;

export class SimPostgres {
  readonly region: SimRegion;
  /** As which the process has opened it. */
  readonly incarnation: Incarnation;
  readonly past: MemoryIdentityStore;
  readonly #process: SimProcess;
  readonly #world: ProcessWorld;

  constructor(region: SimRegion, process: SimProcess, world: ProcessWorld) {
    this.region = region;
    this.incarnation = region.identity.incarnation;
    this.past = region.open();
    this.#process = process;
    this.#world = world;
  }

  read<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.call(readKind, name, work);
  }

  commit<T>(name: string, work: () => Promise<T>): Promise<T> {
    return this.call(commitKind, name, work);
  }

  /** Whatever may write is refused on a server that was not proven to continue the region's past (P1, P9). */
  call<T>(kind: RequestKind, name: string, work: () => Promise<T>): Promise<T> {
    const { postgres: server } = this.region;
    const { past } = this;
    if (kind === readKind || kind === openStreamKind) return this.#process.call({ server, kind, name, work });
    const admitted = async (): Promise<T> => {
      if (kind === localCommitKind) past.requireLearnt();
      else past.requireProven();
      return work();
    };
    return this.#process.call({ server, kind, name, work: admitted });
  }

  /** Takes something that is held on the connection, so it is given back where the answer is lost. */
  async take<T>(
    name: string,
    take: () => Promise<T | null>,
    how: { readonly giveBack: (taken: T) => void; readonly kind: RequestKind },
  ): Promise<T | null> {
    let taken: T | null = null;
    let isLost = false;
    const work = async (): Promise<T | null> => {
      taken = await take();
      if (isLost && taken !== null) how.giveBack(taken);
      return taken;
    };
    try {
      return await this.call(how.kind, name, work);
    } catch (reason) {
      isLost = true;
      if (taken !== null) how.giveBack(taken);
      throw reason;
    }
  }

  /** Something that is held on a connection; `end` gives it back at the server. */
  hold(end: () => void): () => void {
    return this.#process.session(end);
  }

  /** Of the process. */
  get timer(): Timer {
    return this.#process.timer;
  }

  hear(news: () => void): void {
    this.#process.hear(news);
  }

  after(delayMs: number, fire: () => void): void {
    this.#world.scheduler.after(delayMs, fire);
  }

  note(what: string, detail: number): void {
    this.#world.trace.note(this.#process.name, what, detail);
  }
}

function unavailable(): ReplicationError {
  return new ReplicationError('database-unavailable', 'the database does not answer', { retriable: true });
}

function streamLost(): ReplicationError {
  return new ReplicationError('source-lost', 'the stream could not be opened', { retriable: true });
}

function unknownOutcome(): ReplicationError {
  return new ReplicationError('outcome-unknown', 'the answer to a commit is lost', { retriable: false });
}

export class SimRecordStore implements RecordStore {
  readonly #postgres: SimPostgres;
  readonly #oracle: Oracle;

  constructor(postgres: SimPostgres, oracle: Oracle) {
    this.#postgres = postgres;
    this.#oracle = oracle;
  }

  get #inner(): RecordStore {
    return this.#postgres.region.records;
  }

  read(id: RecordId): Promise<Uint8Array | null> {
    return this.#postgres.read('read', () => this.#inner.read(id));
  }

  list(query: ListQuery): Promise<readonly StoredRecord[]> {
    return this.#postgres.read('list', () => this.#inner.list(query));
  }

  listConflicting(query: ConflictingQuery): Promise<readonly StoredRecord[]> {
    return this.#postgres.read('list', () => this.#inner.listConflicting(query));
  }

  examine(after: RecordId): Promise<RecordId | null> {
    return this.#postgres.commit('open', () => this.#inner.examine(after));
  }

  scan(collection: string): AsyncIterable<readonly StoredRecord[]> {
    return this.#inner.scan(collection);
  }

  commitLocal(transaction: LocalTransaction): Promise<SeenCommit | null> {
    let writes: readonly LocalWrite[] = [];
    const decide: LocalTransaction['decide'] = (locked) => {
      const decided = transaction.decide(locked);
      if (!(decided instanceof Promise)) return (writes = decided);
      return decided.then((later) => (writes = later));
    };
    const work = async () => {
      const committed = await this.#inner.commitLocal({ ...transaction, decide });
      if (committed !== null)
        this.#oracle.committed(this.#postgres, {
          end: committed.end,
          ids: writes.flatMap(({ index }) => transaction.ids[index] ?? []),
        });
      this.#postgres.note('commit', Number(committed?.end ?? 0n));
      return committed;
    };
    return this.#postgres.call(localCommitKind, 'commit', work);
  }

  applyRemote(transaction: ApplyTransaction): Promise<ApplyOutcome> {
    let decision: ApplyDecision = { writes: [], deadLetters: [] };
    const decide: ApplyTransaction['decide'] = (states) => (decision = transaction.decide(states));
    const work = async () => {
      const before = await this.#inner.positions(transaction.origin);
      const outcome = await this.#inner.applyRemote({ ...transaction, decide });
      this.#oracle.applied(this.#postgres.region, { transaction, decision, outcome, before });
      const { deadLetters } = decision;
      if (outcome === 'applied' && deadLetters.length > 0)
        this.#oracle.putAside(
          this.#postgres.region,
          deadLetters,
          (await this.#inner.positions(transaction.origin)).filter((row) => isMoved(row, transaction)),
        );
      this.#postgres.note(outcome, transaction.ids.length);
      return outcome;
    };
    return this.#postgres.call(decideKind, 'apply', work);
  }

  positions(origin: RegionId): Promise<readonly PositionRow[]> {
    return this.#postgres.read('positions', () => this.#inner.positions(origin));
  }

  createPosition(row: PositionRow): Promise<void> {
    return this.#postgres.commit('open', () => this.#inner.createPosition(row));
  }

  openLife(row: PositionRow): Promise<void> {
    const { awaited } = this.#postgres.region.records.tables;
    return this.#postgres.commit('open', async () => {
      const before = awaited.size;
      await this.#inner.openLife(row);
      if (awaited.size > before) this.#oracle.awaited('start');
    });
  }

  countDeadLetters(): Promise<readonly DeadLetterCount[]> {
    return this.#postgres.read('letters', () => this.#inner.countDeadLetters());
  }
}

function isMoved({ incarnation, partition }: PositionRow, { positions }: ApplyTransaction): boolean {
  return positions.some(
    (move) => move.partition === partition && sameIncarnation(move.incarnation, incarnation),
  );
}

export class SimDeadLetters implements DeadLetterStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner(): DeadLetterStore {
    return this.#postgres.region.records.deadLetters;
  }

  list(query: Parameters<DeadLetterStore['list']>[0]): Promise<readonly OpenDeadLetter[]> {
    return this.#postgres.read('dead letters', () => this.#inner.list(query));
  }

  due(stampMs: number, limit: number): Promise<readonly DueDeadLetter[]> {
    return this.#postgres.read('due letters', () => this.#inner.due(stampMs, limit));
  }

  retry(places: readonly DeadLetterPlace[], decide: DecideRetry): Promise<readonly RetryOutcome[]> {
    return this.#postgres.call(decideKind, 'retry', () => this.#inner.retry(places, decide));
  }

  giveUp(place: DeadLetterPlace, how: GivingUp): Promise<'waiting' | 'lost' | 'gone'> {
    return this.#postgres.commit('give up', () => this.#inner.giveUp(place, how));
  }

  fates(): Promise<readonly FateCount[]> {
    return this.#postgres.read('fates', () => this.#inner.fates());
  }

  countClosed(): Promise<number> {
    return this.#postgres.read('closed letters', () => this.#inner.countClosed());
  }

  prune(): Promise<number> {
    return this.#postgres.commit('drop closed letters', () => this.#inner.prune());
  }
}

export class SimRoleLock implements RoleLock {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  tryAcquire(): Promise<HeldLock | null> {
    return this.#postgres.take('replicator lock', () => this.#held(), {
      giveBack: (held) => void held.release(),
      kind: commitKind,
    });
  }

  async #held(): Promise<HeldLock | null> {
    const postgres = this.#postgres;
    const inner = await postgres.region.lock.tryAcquire();
    if (inner === null) return null;
    postgres.region.clock.takenUp();
    let lose = (): void => undefined;
    const lost = new Promise<void>((resolve) => {
      lose = () => postgres.after(noticeMs, () => postgres.hear(resolve));
    });
    void inner.lost.then(lose);
    const forget = postgres.hold(() => {
      void inner.release();
      lose();
    });
    const release = async (): Promise<void> => {
      forget();
      await inner.release();
    };
    return { lost, release };
  }
}
