/**
 * The port `RecordStore` on Postgres. It guarantees the order of every write transaction (P3), the fence of every
 * apply (P4) and that failures come out coded; it never merges, never judges a change, and never leaves a
 * transaction half done or a placeholder behind.
 */
import type { RecordId } from '../../ports/change.ts';
import type { RegionId } from '../../ports/identity.ts';
import type {
  ApplyOutcome,
  ApplyTransaction,
  ConflictingQuery,
  DeadLetterCount,
  ListQuery,
  LocalTransaction,
  PositionRow,
  RecordStore,
  StoredRecord,
} from '../../ports/record-store.ts';
import type { SeenCommit } from '../../ports/session-store.ts';
import { awaitLater } from './awaited-past.ts';
import { commitWith } from './commit.ts';
import type { Connections } from './connections.ts';
import { countOf, countOpen } from './dead-letters.ts';
import { examineRecords } from './examination.ts';
import { commitLocal, planLocal } from './local-commit.ts';
import { insert, positionOf, selectPositions } from './positions.ts';
import { PlaceholderHabit } from './record-locks.ts';
import { listConflicting, listRecords, readRecord, scanRecords } from './record-reader.ts';
import { applyRemote, harmless, planRemote } from './remote-apply.ts';
import { begin } from './session.ts';

export class PostgresRecordStore implements RecordStore {
  readonly #connections: Connections;
  readonly #localHabit = new PlaceholderHabit();
  readonly #remoteHabit = new PlaceholderHabit();

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async read(id: RecordId): Promise<Uint8Array | null> {
    return readRecord(this.#connections, id);
  }

  async list(query: ListQuery): Promise<readonly StoredRecord[]> {
    return listRecords(this.#connections, query);
  }

  async listConflicting(query: ConflictingQuery): Promise<readonly StoredRecord[]> {
    return listConflicting(this.#connections, query);
  }

  async examine(after: RecordId): Promise<RecordId | null> {
    return this.#connections.transact((session) => examineRecords(session, after));
  }

  scan(collection: string): AsyncIterable<readonly StoredRecord[]> {
    return scanRecords(this.#connections, collection);
  }

  async commitLocal(transaction: LocalTransaction): Promise<SeenCommit | null> {
    const planned = planLocal(transaction, this.#localHabit);
    return this.#connections.transactLocal((session) => commitLocal(session, planned));
  }

  async applyRemote(transaction: ApplyTransaction): Promise<ApplyOutcome> {
    const planned = planRemote(transaction, this.#remoteHabit);
    try {
      return await this.#connections.transact((session) => applyRemote(session, planned));
    } catch (error) {
      throw harmless(error);
    }
  }

  async positions(origin: RegionId): Promise<readonly PositionRow[]> {
    const answer = await this.#connections.query(selectPositions, origin);
    return answer.rows.map(positionOf);
  }

  async createPosition(row: PositionRow): Promise<void> {
    await this.#connections.write((session) => session.query(...insert(row)));
  }

  async openLife(row: PositionRow): Promise<void> {
    const before = [[begin], ...awaitLater(row), insert(row)] as const;
    try {
      await this.#connections.transact((session) => commitWith(session, { before, after: [] }));
    } catch (error) {
      throw harmless(error);
    }
  }

  async countDeadLetters(): Promise<readonly DeadLetterCount[]> {
    const answer = await this.#connections.query(countOpen);
    return answer.rows.map(countOf);
  }
}
