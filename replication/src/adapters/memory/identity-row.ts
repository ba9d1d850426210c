/**
 * The one row of a database in memory that says which incarnation it is. It goes back in time with the database, as
 * everything in it does.
 */
import type { Incarnation } from '../../ports/identity.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

export interface IdentityRow {
  readonly incarnation: Incarnation;
  /** The start of the server that was proven to continue the past. */
  readonly provenOn: string;
  readonly held: string | null;
  /** Of an incarnation that is being taken. */
  readonly claim: Incarnation | null;
  /** Local writes were taken away. */
  readonly drained: DrainedRow | null;
}

export interface DrainedRow {
  readonly sinceMs: number;
  /** How often connections had been ended by then: once more, and those from before are gone. */
  readonly disconnects: number;
  readonly beat: number | null;
}

const only = '';

export class MemoryIdentityRow {
  readonly #database: MemoryDatabase;
  readonly #rows: MemoryTable<IdentityRow>;
  readonly #first: IdentityRow;

  /** The database is fresh. */
  constructor(database: MemoryDatabase, incarnation: Incarnation) {
    this.#database = database;
    this.#rows = database.table('identity_proof');
    this.#first = { incarnation, provenOn: String(database.starts), held: null, claim: null, drained: null };
  }

  get row(): IdentityRow {
    return this.#rows.get(only) ?? this.#first;
  }

  /** Nobody holds its writes, and it was compared with its past since the server was started. */
  get isProvenNow(): boolean {
    const { held, provenOn } = this.row;
    return held === null && provenOn === String(this.#database.starts);
  }

  /** In a transaction. */
  put(row: IdentityRow): void {
    this.#rows.put(only, row);
  }

  change(part: Partial<IdentityRow>): void {
    this.#database.transact(true, () => this.put({ ...this.row, ...part }));
  }
}
