/** The tombstone store of a region as one process reaches it, each call a request that can be cut. */
import type { Lsn } from '@isthmus/replication/ports/change';
import type { StoredRecord } from '@isthmus/replication/ports/record-store';
import type {
  BarrierRow,
  CollectTransaction,
  TombstoneStore,
} from '@isthmus/replication/ports/tombstone-store';
import { decideKind, type SimPostgres } from './sim-postgres.ts';

export class SimTombstoneStore implements TombstoneStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner(): TombstoneStore {
    return this.#postgres.region.tombstones;
  }

  barrier(): Promise<BarrierRow> {
    return this.#postgres.read('barrier', () => this.#inner.barrier());
  }

  close(number: number): Promise<bigint> {
    return this.#postgres.commit('close generation', () => this.#inner.close(number));
  }

  hasEnded(mark: bigint): Promise<boolean> {
    return this.#postgres.read('generation ended', () => this.#inner.hasEnded(mark));
  }

  beginRound(): Promise<number> {
    return this.#postgres.commit('barrier round', () => this.#inner.beginRound());
  }

  complete(barrier: Parameters<TombstoneStore['complete']>[0]): Promise<boolean> {
    return this.#postgres.commit('complete barrier', () => this.#inner.complete(barrier));
  }

  noteAnswered(position: Lsn): Promise<void> {
    return this.#postgres.commit('note answered', () => this.#inner.noteAnswered(position));
  }

  hasDead(): Promise<boolean> {
    return this.#postgres.read('has dead', () => this.#inner.hasDead());
  }

  countDead(): Promise<number> {
    return this.#postgres.read('count dead', () => this.#inner.countDead());
  }

  dead(query: Parameters<TombstoneStore['dead']>[0]): Promise<readonly StoredRecord[]> {
    return this.#postgres.read('dead', () => this.#inner.dead(query));
  }

  collect(transaction: CollectTransaction): Promise<number> {
    return this.#postgres.call(decideKind, 'collect', () => this.#inner.collect(transaction));
  }
}
