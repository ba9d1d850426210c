/**
 * Open dead letters of one database in memory, by their place. It belongs to a `MemoryRecordStore`, which gives it the
 * record that a retry works on; a retry is a transaction and runs to its end within one call, as all do there.
 */
import type {
  DeadLetterPlace,
  DeadLetterStore,
  OpenDeadLetter,
  RetryDecision,
} from '../../ports/dead-letter-store.ts';
import type { Lsn, RecordId } from '../../ports/change.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { DeadLetter, DeadLetterCount } from '../../ports/record-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

type Letter = DeadLetter & DeadLetterPlace;

interface LetterRow extends Letter {
  readonly openedAtMs: number;
}

/** What a letter needs of the store that it belongs to. */
export interface LetterHome {
  readonly read: (id: RecordId) => Uint8Array;
  readonly write: (id: RecordId, state: Uint8Array) => void;
  /** A letter of this partition was closed. */
  readonly resettle: (place: DeadLetterPlace) => void;
}

export class MemoryDeadLetters implements DeadLetterStore {
  readonly #database: MemoryDatabase;
  readonly #rows: MemoryTable<LetterRow>;
  readonly #home: LetterHome;

  constructor(database: MemoryDatabase, home: LetterHome) {
    this.#database = database;
    this.#rows = database.table('dead_letter');
    this.#home = home;
  }

  /** In a transaction; storing one twice is harmless. */
  putAside(letter: Letter): void {
    const name = nameOf(letter);
    const openedAtMs = this.#database.nowMs();
    if (this.#rows.get(name) === undefined) this.#rows.put(name, { ...letter, openedAtMs });
  }

  /** Where the oldest open one of a partition lies; `null`: there is none. */
  oldest(partition: Pick<DeadLetterPlace, 'origin' | 'incarnation' | 'partition'>): Lsn | null {
    if (this.#rows.size === 0) return null;
    let oldest: Lsn | null = null;
    for (const letter of this.#rows.values())
      if (isOfPartition(letter, partition) && (oldest === null || letter.lsn < oldest)) oldest = letter.lsn;
    return oldest;
  }

  counts(): readonly DeadLetterCount[] {
    const counts = new Map<string, DeadLetterCount>();
    for (const { origin, cause } of this.#rows.values()) {
      const count = counts.get(`${origin} ${cause}`)?.count ?? 0;
      counts.set(`${origin} ${cause}`, { origin, cause, count: count + 1 });
    }
    return [...counts.values()];
  }

  async list(query: {
    readonly after: DeadLetterPlace | null;
    readonly limit: number;
  }): Promise<readonly OpenDeadLetter[]> {
    const { after, limit } = query;
    return [...this.#rows.values()]
      .toSorted(byPlace)
      .filter((letter) => after === null || byPlace(letter, after) > 0)
      .slice(0, limit)
      .map((letter) => ({ ...letter, byteCount: letter.delta.length }));
  }

  async due(stampMs: number, limit: number): Promise<readonly DeadLetterPlace[]> {
    if (this.#rows.size === 0) return [];
    const due = [...this.#rows.values()].filter(
      (letter) => letter.stampMs !== null && letter.stampMs <= stampMs,
    );
    return due.toSorted((a, b) => (a.stampMs ?? 0) - (b.stampMs ?? 0)).slice(0, limit);
  }

  async retry(
    place: DeadLetterPlace,
    decide: (state: Uint8Array, delta: Uint8Array) => RetryDecision,
  ): Promise<'applied' | 'kept' | 'left' | 'gone'> {
    const letter = this.#rows.get(nameOf(place));
    if (letter === undefined) return 'gone';
    const decision = decide(this.#home.read(letter), letter.delta);
    if (decision.kind === 'leave') return 'left';
    this.#database.transact(true, () => this.#carryOut(letter, decision));
    return decision.kind === 'keep' ? 'kept' : 'applied';
  }

  #carryOut(letter: LetterRow, decision: Exclude<RetryDecision, { readonly kind: 'leave' }>): void {
    if (decision.kind === 'keep') {
      const { cause, detail, stampMs } = decision;
      this.#rows.put(nameOf(letter), { ...letter, cause, detail, stampMs });
      return;
    }
    this.#rows.delete(nameOf(letter));
    this.#home.write(letter, decision.state);
    this.#home.resettle(letter);
  }
}

function nameOf({ origin, incarnation, partition, lsn, index }: DeadLetterPlace): string {
  return [origin, incarnation.counter, incarnation.nonce, partition, lsn, index].join(' ');
}

function isOfPartition(
  a: Pick<DeadLetterPlace, 'origin' | 'incarnation' | 'partition'>,
  b: Pick<DeadLetterPlace, 'origin' | 'incarnation' | 'partition'>,
): boolean {
  return (
    a.origin === b.origin && a.partition === b.partition && sameIncarnation(a.incarnation, b.incarnation)
  );
}

function byPlace(a: DeadLetterPlace, b: DeadLetterPlace): number {
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return (
    a.incarnation.counter - b.incarnation.counter ||
    a.incarnation.nonce - b.incarnation.nonce ||
    a.partition - b.partition ||
    Number(a.lsn > b.lsn) - Number(a.lsn < b.lsn) ||
    a.index - b.index
  );
}
