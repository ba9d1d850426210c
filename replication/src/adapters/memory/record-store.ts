/**
 * Records and positions in memory, for simulations: held to the same contract as the store on Postgres, and gone with
 * its process. A transaction runs to its end within one call, so nothing waits for a lock and none is seen half done;
 * what its decision throws leaves everything as it was. Bytes are kept as they are given and must not be changed by
 * whoever gave them.
 */
import { ReplicationError, assert } from '../../errors.ts';
import type { Lsn, RecordId } from '../../ports/change.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { RegionId } from '../../ports/identity.ts';
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
import { MemoryDeadLetters } from './dead-letters.ts';
import { compareNames, requireStorable, requireText } from '../postgres/key-order.ts';

const maxRecords = 500;
const maxDeltaBytes = 1024 * 1024;
const chunkBytes = 1024 * 1024;
const empty = new Uint8Array(0);

export class MemoryRecordStore implements RecordStore {
  readonly #states = new Map<string, Map<string, Uint8Array>>();
  #positions: readonly PositionRow[] = [];
  /** The same letters as the port shows them. */
  readonly deadLetters = new MemoryDeadLetters({
    read: (id) => this.#lock([id])[0] ?? empty,
    write: (id, state) => this.#write([id], [{ index: 0, state }]),
    resettle: (place) => this.#resettle(place),
  });
  #end: Lsn = 0n;

  async read(id: RecordId): Promise<Uint8Array | null> {
    requireStorable(id);
    return this.#states.get(id.collection)?.get(id.key) ?? null;
  }

  async list({ collection, prefix, after, limit }: ListQuery): Promise<readonly StoredRecord[]> {
    requireText('prefix', prefix);
    return this.#sorted(collection)
      .filter(({ key }) => key.startsWith(prefix) && (after === null || compareNames(key, after) > 0))
      .slice(0, limit);
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
    if (ids.length > maxRecords) throw tooLarge(`${ids.length} records`);
    const writes: readonly LocalWrite[] = decide({ states: this.#lock(ids), floor: 0 });
    const deltaBytes = writes.reduce((sum, { delta }) => sum + delta.length, 0);
    if (deltaBytes > maxDeltaBytes) throw tooLarge(`${deltaBytes} bytes of deltas`);
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
    return this.deadLetters.counts();
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
    this.deadLetters.putAside({ origin, incarnation: home.incarnation, ...letter });
  }

  #move(move: PositionMove & { readonly origin: RegionId }): void {
    const oldest = this.deadLetters.oldest(move);
    this.#positions = this.#positions.map((row) => (isRowOf(row, move) ? moved(row, move, oldest) : row));
  }

  #resettle(place: Place): void {
    const oldest = this.deadLetters.oldest(place);
    this.#positions = this.#positions.map((row) =>
      isRowOf(row, place) ? moved(row, { ...row, beat: null }, oldest) : row,
    );
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
  { applied, beat, nextOffset }: Pick<PositionMove, 'applied' | 'beat' | 'nextOffset'>,
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
