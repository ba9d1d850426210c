/**
 * One Postgres for a test file and one fresh database for each test: a copy of one that has the tables and belongs to no
 * region yet, because making the tables takes longer than everything that most tests do with them. Replication slots
 * belong to the whole server, so every database gets a slot name of its own, and dropping a database drops its slot first.
 */
import { migrate } from '@isthmus/replication/adapters/postgres/migrate';
import { Session } from '@isthmus/replication/adapters/postgres/session';
import { Client, Pool } from 'pg';
import { until } from '../until.ts';

const dropDeadlineMs = 10_000;

export interface FreshDatabase {
  readonly url: string;
  readonly name: string;
  readonly slotName: string;
  /** Runs one statement on a connection of its own. */
  readonly sql: (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;
  readonly drop: () => Promise<void>;
}

export type Row = Readonly<Record<string, unknown>>;

let created = 0;

/** By server. */
const administrators = new Map<string, Pool>();

const migratedName = 'migrated';
const migrateTimeoutMs = 60_000;
/** By server. */
const migrated = new Map<string, Promise<string>>();

/** Options of a database that has the tables. Another server may listen by now where one was that has stopped. */
async function likeMigrated({ url }: { readonly url: string }): Promise<string> {
  const known = migrated.get(url);
  if (known !== undefined) {
    const options = await known;
    const found = await administer(url, 'SELECT FROM pg_database WHERE datname = $1', [migratedName]);
    if (found.length > 0) return options;
  }
  const made = makeMigrated(url);
  migrated.set(url, made);
  return made;
}

async function makeMigrated(url: string): Promise<string> {
  await administer(url, `CREATE DATABASE ${migratedName}`);
  const pool = new Pool({ connectionString: url.replace(/\/postgres$/, `/${migratedName}`), max: 1 });
  const session = new Session(await pool.connect(), migrateTimeoutMs);
  await migrate(session);
  session.drop();
  await pool.end();
  return `TEMPLATE ${migratedName}`;
}

/** By default with the tables; `options` of `CREATE DATABASE` in place of that. */
export async function freshDatabase(
  postgres: { readonly url: string },
  given?: string,
): Promise<FreshDatabase> {
  const options = given ?? (await likeMigrated(postgres));
  created += 1;
  const name = `test_${process.pid}_${created}`;
  const slotName = `${name}_slot`;
  const url = postgres.url.replace(/\/postgres$/, `/${name}`);
  await administer(postgres.url, `CREATE DATABASE ${name} ${options}`);
  return {
    url,
    name,
    slotName,
    sql: (text, values) => query(url, text, values),
    drop: async () => {
      await dropSlot(postgres.url, slotName);
      await administer(postgres.url, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/**
 * Runs one statement on the one connection that is kept to each server, because opening one takes as long as most of them.
 * It is opened again where the server was struck.
 */
async function administer(
  url: string,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const known = administrators.get(url);
  const pool = known ?? new Pool({ connectionString: url, max: 1, allowExitOnIdle: true });
  if (known === undefined) {
    // The pool has dropped the connection by then.
    pool.on('error', () => undefined);
    administrators.set(url, pool);
  }
  return (await pool.query<Record<string, unknown>>(text, [...values])).rows;
}

export async function query(url: string, text: string, values?: readonly unknown[]): Promise<readonly Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const result = await client.query<Record<string, unknown>>(text, values === undefined ? [] : [...values]);
    return result.rows;
  } finally {
    await client.end();
  }
}

/** A slot is active for a moment after its reader has gone. */
async function dropSlot(url: string, slotName: string): Promise<void> {
  await until('the slot has no reader', dropDeadlineMs, async () => {
    const [slot] = await administer(
      url,
      `SELECT active, CASE WHEN NOT active THEN pg_drop_replication_slot(slot_name) END
      FROM pg_replication_slots WHERE slot_name = $1`,
      [slotName],
    );
    return slot?.['active'] !== true;
  });
}
