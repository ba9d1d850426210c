/** A fresh database of the region eu, as many processes that open it as are asked for, and the end of all of them. */
import type { Postgres } from '@isthmus/local/postgres';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { type FreshDatabase, freshDatabase } from './fresh-database.ts';
import { region } from './record-store.contract.ts';

export class PostgresRegion {
  readonly fresh: FreshDatabase;
  #opened: readonly Database[] = [];

  protected constructor(fresh: FreshDatabase) {
    this.fresh = fresh;
  }

  static async begin(postgres: { readonly url: string }): Promise<PostgresRegion> {
    return new PostgresRegion(await freshDatabase(postgres));
  }

  /** Takes a server that was started anew for the one that it was. */
  async open(): Promise<Database> {
    const { url: connectionString, slotName } = this.fresh;
    const at = { connectionString, slotName, region: region('eu'), peers: [], trustsRestarts: true };
    const database = await openDatabase(at);
    this.#opened = [...this.#opened, database];
    return database;
  }

  async close(): Promise<void> {
    await this.closeAll();
    await this.fresh.drop();
  }

  protected async closeAll(): Promise<void> {
    await Promise.all(this.#opened.map((database) => database.close()));
    this.#opened = [];
  }
}

/** One whose server is struck. */
export class StruckRegion extends PostgresRegion {
  readonly #postgres: Postgres;

  private constructor(fresh: FreshDatabase, postgres: Postgres) {
    super(fresh);
    this.#postgres = postgres;
  }

  static async on(postgres: Postgres): Promise<StruckRegion> {
    return new StruckRegion(await freshDatabase(postgres), postgres);
  }

  async kill(): Promise<void> {
    await this.#postgres.kill('SIGKILL');
  }

  async comeUp(): Promise<void> {
    await this.#postgres.restart();
  }

  /** As in a power cut; what was opened before is closed. */
  async restart(): Promise<void> {
    await this.kill();
    await this.closeAll();
    await this.comeUp();
  }
}
