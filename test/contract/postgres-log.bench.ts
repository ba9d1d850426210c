/**
 * A real Postgres with a database for each region, sinks into their logs, and feeds that read them as the role made for
 * peers, which may do nothing else.
 */
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { bootstrap } from '@isthmus/replication/adapters/postgres/bootstrap';
import { PostgresLogFeed } from '@isthmus/replication/adapters/postgres-log/change-feed';
import { PostgresLogSink } from '@isthmus/replication/adapters/postgres-log/change-sink';
import { readerRole } from '@isthmus/replication/adapters/postgres-log/reader-role';
import type { ReaderBounds } from '@isthmus/replication/adapters/postgres-log/reader-watch';
import type { Retention } from '@isthmus/replication/adapters/postgres-log/topic';
import { assert } from '@isthmus/replication/errors';
import type { ChangeFeed } from '@isthmus/replication/ports/change-feed';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { LogBench } from './change-sink-feed.contract.ts';
import { forgetInPostgresSql } from '../e2e/log-under-test.ts';
import { freshDatabase } from './fresh-database.ts';
import type { FreshDatabase } from './fresh-database.ts';

const stallTimeoutMs = 2_000;
/** As the statements of the region's own connections have it. */
const answerTimeoutMs = 8_000;
export const readerPassword = 'reader "password" \\ \'';

interface Place {
  readonly database: FreshDatabase;
  readonly incarnation: Incarnation;
}

export class PostgresLogBench implements LogBench {
  readonly silenceNoticedMs = answerTimeoutMs + 2 * stallTimeoutMs;
  readonly isOverSockets = true;
  readonly postgres: Postgres;
  readonly warnings: string[] = [];
  /** What was given as their causes. */
  readonly causes: string[] = [];
  /** What readers were said to be able to do beyond reading. */
  readonly leftOver: unknown[] = [];
  readonly #logger: Logger;
  readonly #places = new Map<RegionId, Place>();

  private constructor(postgres: Postgres) {
    this.postgres = postgres;
    const ignore = (): void => undefined;
    const note = (fields: Readonly<Record<string, unknown>>, message: string): void => {
      this.warnings.push(message);
      if (typeof fields['cause'] === 'string') this.causes.push(fields['cause']);
      if (fields['may'] !== undefined) this.leftOver.push(fields['may']);
    };
    this.#logger = { debug: ignore, info: ignore, warn: note, error: note };
  }

  static async open(): Promise<PostgresLogBench> {
    return new PostgresLogBench(await startPostgres());
  }

  /** For tests that strike no server: this one waits for no disk. */
  static async openScratch(): Promise<PostgresLogBench> {
    return new PostgresLogBench(await startPostgres({ settings: { fsync: 'off' } }));
  }

  async newRegion(): Promise<RegionId> {
    const region = parseRegionId(`region-${this.#places.size + 1}`);
    assert(region !== null, 'a bench names its regions well');
    const database = await freshDatabase(this.postgres);
    const { url, slotName } = database;
    const { identity } = await bootstrap({ connectionString: url, region, partitionCount: 4, slotName });
    // No relay reads here, and a server has only so many slots.
    await database.sql('SELECT pg_drop_replication_slot($1)', [slotName]);
    this.#places.set(region, { database, incarnation: identity.incarnation });
    return region;
  }

  sinkOf(
    region: RegionId,
    options: {
      readonly retention?: Retention;
      readonly readerPassword?: string | null;
      readonly connectionString?: string;
      readonly readerBounds?: ReaderBounds;
    } = {},
  ): ChangeSink {
    const { incarnation } = this.#place(region);
    return new PostgresLogSink({
      trustsRestarts: true,
      region,
      connectionString: this.databaseUrl(region),
      incarnation,
      readerPassword,
      logger: this.#logger,
      ...options,
    });
  }

  feedOf(
    region: RegionId,
    options: { readonly maxUnreadBytes?: number; readonly connectionString?: string } = {},
  ): ChangeFeed {
    const { connectionString = this.readerUrl(region), ...limits } = options;
    const logs = new Map([[region, connectionString]]);
    return new PostgresLogFeed({ logs, logger: this.#logger, stallTimeoutMs, ...limits });
  }

  databaseUrl(region: RegionId): string {
    return this.#place(region).database.url;
  }

  /** The address of that region's database as a role of its own. */
  async newRole(region: RegionId, options: string): Promise<string> {
    const url = new URL(this.databaseUrl(region));
    url.username = `${url.pathname.slice(1)}_own`;
    url.password = 'p';
    await this.sql(region, `CREATE ROLE "${url.username}" LOGIN ${options} PASSWORD '${url.password}'`);
    return url.href;
  }

  /** Where a peer reads that region's log. */
  readerUrl(region: RegionId): string {
    const url = new URL(this.databaseUrl(region));
    url.username = readerRole(region);
    url.password = encodeURIComponent(readerPassword);
    return url.href;
  }

  sql(region: RegionId, text: string, values?: readonly unknown[]): ReturnType<FreshDatabase['sql']> {
    return this.#place(region).database.sql(text, values);
  }

  async forget(region: RegionId): Promise<void> {
    await this.sql(region, forgetInPostgresSql);
  }

  async dropChanges(region: RegionId): Promise<void> {
    await this.sql(
      region,
      `BEGIN; DELETE FROM isthmus.log_topic WHERE name = 'changes'; DELETE FROM isthmus.log_segment WHERE topic = 'changes';
      DELETE FROM isthmus.log_record WHERE segment < 16; COMMIT`,
    );
  }

  restart(): Promise<void> {
    return this.postgres.restart();
  }

  async killAndRestart(): Promise<void> {
    await this.postgres.kill('SIGKILL');
    await this.postgres.restart();
  }

  freeze(): Promise<void> {
    return this.postgres.kill('SIGSTOP');
  }

  thaw(): Promise<void> {
    return this.postgres.kill('SIGCONT');
  }

  close(): Promise<void> {
    return this.postgres.stop();
  }

  #place(region: RegionId): Place {
    const place = this.#places.get(region);
    assert(place !== undefined, `the bench has the region ${region}`);
    return place;
  }
}
