/**
 * Records and positions in memory, for simulations: held to the same contract as the store on Postgres, and gone with
 * its process. A transaction runs to its end within one call, so nothing waits for a lock and none is seen half done;
 * what its decision throws leaves everything as it was. Bytes are kept as they are given and must not be changed by
 * whoever gave them.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { Lsn, RecordId } from '../../ports/change.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { Incarnation, RegionId } from '../../ports/identity.ts';
import type {
  ApplyTransaction,
  DeadLetter,
  DeadLetterCount,
  ListQuery,
  LocalTransaction,
  LocalWrite,
  PositionMove,
  PositionRow,
  RecordStore,
  StoredRecord,
} from '../../ports/record-store.ts';
import { fitsTransaction, maxTransactionRecords } from '../../transaction-limits.ts';
import { listPageBytes } from '../../ports/record-store.ts';
import { compareNames, requireStorable, requireText } from '../postgres/key-order.ts';

const chunkBytes = 1024 * 1024;
const empty = new Uint8Array(0);

interface Letter extends DeadLetter {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
}

export class MemoryRecordStore implements RecordStore {
  readonly #states = new Map<string, Map<string, Uint8Array>>();
  #positions: readonly PositionRow[] = [];
  readonly #letters = new Map<string, Letter>();
  #end: Lsn = 0n;

  async read(id: RecordId): Promise<Uint8Array | null> {
    requireStorable(id);
    return this.#states.get(id.collection)?.get(id.key) ?? null;
  }

  async list({ collection, prefix, after, limit }: ListQuery): Promise<readonly StoredRecord[]> {
    requireText('prefix', prefix);
    const found = this.#sorted(collection).filter(
      ({ key }) => key.startsWith(prefix) && (after === null || compareNames(key, after) > 0),
    );
    let byteCount = 0;
    return found.slice(0, limit).filter(({ state }) => {
      const fits = byteCount < listPageBytes;
      byteCount += state.length;
      return fits;
    });
  }

  async *scan(collection: string): AsyncGenerator<readonly StoredRecord[]> {
    let chunk: StoredRecord[] = [];
    let byteCount = 0;
    for (const record of this.#sorted(collection)) {
      if (byteCount >= chunkBytes) {
        yield chunk;
        [chunk, byteCount] = [[], 0];
      }
      chunk.push(record);
      byteCount += record.state.length;
    }
    if (chunk.length > 0) yield chunk;
  }

  async commitLocal({ ids, decide }: LocalTransaction): Promise<{ readonly end: Lsn | null }> {
    if (ids.length > maxTransactionRecords) throw tooLarge(`${ids.length} records`);
    const writes: readonly LocalWrite[] = decide({ states: this.#lock(ids), floor: 0 });
    const deltaBytes = writes.reduce((sum, { delta }) => sum + delta.length, 0);
    if (!fitsTransaction(writes.length, deltaBytes)) throw tooLarge(`${deltaBytes} bytes of deltas`);
    if (writes.length === 0) return { end: null };
    this.#write(ids, writes);
    return { end: ++this.#end };
  }

  async applyRemote({ origin, positions, ids, decide }: ApplyTransaction): Promise<'applied' | 'fenced'> {
    const stand = (move: PositionMove): boolean =>
      this.#positions.some((row) => isRowOf(row, { origin, ...move }) && row.applied === move.expected);
    if (!positions.every(stand)) return 'fenced';
    const { writes, deadLetters } = decide(this.#lock(ids));
    this.#write(ids, writes);
    for (const letter of deadLetters) this.#putAside(letter, { origin, positions });
    for (const move of positions) this.#move({ origin, ...move });
    return 'applied';
  }

  async positions(origin: RegionId): Promise<readonly PositionRow[]> {
    return this.#positions.filter((row) => row.origin === origin);
  }

  async createPosition(created: PositionRow): Promise<void> {
    if (this.#positions.some((row) => isRowOf(row, created))) return;
    this.#positions = [...this.#positions, created].toSorted(
      (a, b) => a.incarnation.counter - b.incarnation.counter || a.partition - b.partition,
    );
  }

  async countDeadLetters(): Promise<readonly DeadLetterCount[]> {
    const counts = new Map<string, DeadLetterCount>();
    for (const { origin, cause } of this.#letters.values()) {
      const count = counts.get(`${origin} ${cause}`)?.count ?? 0;
      counts.set(`${origin} ${cause}`, { origin, cause, count: count + 1 });
    }
    return [...counts.values()];
  }

  #sorted(collection: string): readonly StoredRecord[] {
    requireText('collection', collection);
    const found = [...(this.#states.get(collection) ?? [])];
    return found
      .map(([key, state]) => ({ collection, key, state }))
      .toSorted((a, b) => compareNames(a.key, b.key));
  }

  #lock(ids: readonly RecordId[]): readonly Uint8Array[] {
    for (const id of ids) requireStorable(id);
    return ids.map(({ collection, key }) => this.#states.get(collection)?.get(key) ?? empty);
  }

  #write(
    ids: readonly RecordId[],
    writes: readonly { readonly index: number; readonly state: Uint8Array }[],
  ): void {
    for (const { index, state } of writes) {
      const id = ids[index];
      assert(id !== undefined && state.length > 0, `a write to no record or of no state: ${index}`);
      const byKey = this.#states.get(id.collection) ?? new Map<string, Uint8Array>();
      this.#states.set(id.collection, byKey.set(id.key, state));
    }
  }

  #putAside(letter: DeadLetter, { origin, positions }: Pick<ApplyTransaction, 'origin' | 'positions'>): void {
    const home = positions.find(({ partition }) => partition === letter.partition);
    assert(home !== undefined, `a dead letter of partition ${letter.partition}, which does not move`);
    const { incarnation } = home;
    const { counter, nonce } = incarnation;
    const place = [origin, counter, nonce, letter.partition, letter.lsn, letter.index].join(' ');
    if (!this.#letters.has(place)) this.#letters.set(place, { origin, incarnation, ...letter });
  }

  #move(move: PositionMove & { readonly origin: RegionId }): void {
    const oldest = [...this.#letters.values()]
      .filter((letter) => isRowOf(move, letter))
      .reduce<Lsn | null>((least, { lsn }) => (least === null || lsn < least ? lsn : least), null);
    this.#positions = this.#positions.map((row) => (isRowOf(row, move) ? moved(row, move, oldest) : row));
  }
}

type Place = Pick<PositionRow, 'origin' | 'incarnation' | 'partition'>;

function isRowOf(row: Place, other: Place): boolean {
  const { origin, incarnation, partition } = other;
  return (
    row.origin === origin && row.partition === partition && sameIncarnation(row.incarnation, incarnation)
  );
}

/** `oldest` is where the oldest open dead letter lies. */
function moved(
  row: PositionRow,
  { applied, beat, nextOffset }: PositionMove,
  oldest: Lsn | null,
): PositionRow {
  const reach = oldest === null || oldest > applied ? applied : oldest - 1n;
  const covers = beat !== null && (oldest === null || oldest > beat.end);
  return {
    ...row,
    applied,
    nextOffset,
    settled: reach > row.settled ? reach : row.settled,
    beat: covers ? beat : row.beat,
  };
}

function tooLarge(what: string): ReplicationError {
  return new ReplicationError('transaction-too-large', `a transaction has ${what}`, { retriable: false });
}
