/**
 * The identity of a database in memory: which start of the server it was last proven on, and whether somebody holds
 * its writes. Whoever stands for a connection asks `requireProven` before a write, as those to Postgres do (P1).
 */
import { ReplicationError } from '../../errors.ts';
import type { Beat } from '../../ports/change.ts';
import type { Continuity, IdentityStore, Lineage, NewestBeat } from '../../ports/identity-store.ts';
import type { MemoryBeatStore } from './beat-store.ts';
import type { MemoryDatabase } from './database.ts';
import type { MemoryTable } from './table.ts';

interface IdentityRow {
  readonly provenOn: string;
  readonly held: string | null;
}

const only = 'one';

/** It never becomes another incarnation: what is broken stays so until somebody accepts it. */
export class MemoryIdentityStore implements Omit<IdentityStore, 'claim' | 'noteClaim' | 'adopt'> {
  readonly #database: MemoryDatabase;
  readonly #beats: MemoryBeatStore;
  readonly #rows: MemoryTable<IdentityRow>;

  constructor(database: MemoryDatabase, beats: MemoryBeatStore) {
    this.#database = database;
    this.#beats = beats;
    this.#rows = database.table('identity_proof');
    this.#put({ provenOn: String(database.starts), held: null });
  }

  get standing(): Continuity['kind'] {
    return this.#judge().kind;
  }

  async continuity(): Promise<Continuity> {
    return this.#judge();
  }

  async newestBeat(): Promise<NewestBeat> {
    return { beat: this.#beats.newest, hasPublished: this.#beats.publishedThrough !== null };
  }

  async beats(from: number, to: number): Promise<readonly Beat[]> {
    return this.#beats.between(from, to);
  }

  async prove({ postmasterStart }: Lineage): Promise<void> {
    this.#put({ ...this.#row, provenOn: postmasterStart });
  }

  async hold(reason: string): Promise<void> {
    this.#put({ ...this.#row, held: this.#row.held ?? reason });
    this.#database.disconnect();
  }

  async accept(): Promise<void> {
    this.#put({ provenOn: String(this.#database.starts), held: null });
  }

  /** Throws what a connection for writing is refused with. */
  requireProven(): void {
    const continuity = this.#judge();
    if (continuity.kind === 'same') return;
    if (continuity.kind === 'broken')
      throw new ReplicationError('identity-mismatch', `writes are refused: ${continuity.reason}`, {
        retriable: false,
      });
    throw new ReplicationError(
      'database-unavailable',
      'writes wait until the server has been compared with the own log',
      { retriable: true },
    );
  }

  get #row(): IdentityRow {
    return this.#rows.get(only) ?? { provenOn: '', held: null };
  }

  #judge(): Continuity {
    const { provenOn, held } = this.#row;
    if (held !== null) return { kind: 'broken', isHeld: true, reason: held };
    const postmasterStart = String(this.#database.starts);
    if (provenOn === postmasterStart) return { kind: 'same' };
    const lineage = { systemIdentifier: '1', timeline: 1, postmasterStart };
    return { kind: 'unproven', isPromoted: false, lineage };
  }

  #put(row: IdentityRow): void {
    this.#database.transact(true, () => this.#rows.put(only, row));
  }
}
