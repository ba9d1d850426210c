/**
 * The anchor of the backlog: Postgres's own logical replication of the same rows between two databases on the same two
 * servers. The subscription is switched off while the rows are updated, in transactions of as many rows as the caller says,
 * then switched on; the rate is that from the first of them seen at the subscriber to the last, by marker rows before and after. Only the
 * preparation of the backlog, which is not timed, commits without waiting for the disk.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { LoadError } from '../errors.ts';
import { keyName, type Workload } from '../workload.ts';
import { connect, createDatabase, dropDatabase, urlOf, withClient } from './own-database.ts';

const name = 'isthmus_loadtest_native';
const subscription = 'isthmus_loadtest';
const pollMs = 10;
const timeoutMs = 180_000;

const tables = `
  CREATE TABLE item (key text COLLATE "C" PRIMARY KEY, value text NOT NULL);
  CREATE TABLE marker (one integer PRIMARY KEY, value text NOT NULL);
  INSERT INTO marker VALUES (1, '')`;

/** A procedure can commit in a loop; text arrays in a variable are read in constant time. */
const updates = `
  CREATE TABLE pool (i integer PRIMARY KEY, key text NOT NULL, value text NOT NULL);
  CREATE PROCEDURE write_backlog(amount integer, shift integer, rows integer) LANGUAGE plpgsql AS $$
    DECLARE keys text[]; vals text[]; size integer;
    BEGIN
      SELECT array_agg(key ORDER BY i), array_agg(value ORDER BY i), count(*) INTO keys, vals, size FROM pool;
      COMMIT;
      FOR turn IN 0 .. amount - 1 LOOP
        UPDATE item SET value = vals[1 + (turn + shift) % size] WHERE key = keys[1 + turn % size];
        IF (turn + 1) % rows = 0 THEN COMMIT; END IF;
      END LOOP;
    END $$`;

export class NativeReplication {
  readonly #servers: { readonly origin: string; readonly target: string };
  readonly #origin: pg.Client;
  readonly #target: pg.Client;
  #turn = 0;

  private constructor(
    servers: { readonly origin: string; readonly target: string },
    clients: { readonly origin: pg.Client; readonly target: pg.Client },
  ) {
    this.#servers = servers;
    this.#origin = clients.origin;
    this.#target = clients.target;
  }

  /** Both sides begin with the same row under every key. */
  static async open(
    servers: { readonly origin: string; readonly target: string },
    workload: Workload,
  ): Promise<NativeReplication> {
    await removeRemains(servers);
    const [originUrl, targetUrl] = await Promise.all([
      createDatabase(servers.origin, name),
      createDatabase(servers.target, name),
    ]);
    const origin = await connect(originUrl);
    const target = await connect(targetUrl);
    const rows = Array.from({ length: workload.keyCount }, () => workload.next());
    const columns = [rows.map(({ key }) => key), rows.map(({ value }) => JSON.stringify(value))];
    for (const client of [origin, target]) {
      await client.query(tables);
      await client.query('INSERT INTO item SELECT * FROM unnest($1::text[], $2::text[])', columns);
      await client.query('VACUUM ANALYZE item');
    }
    await origin.query(updates);
    await origin.query(
      'INSERT INTO pool SELECT i, key, value FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS p (key, value, i)',
      columns,
    );
    await origin.query(`CREATE PUBLICATION ${subscription} FOR TABLE item, marker`);
    await target.query(
      `CREATE SUBSCRIPTION ${subscription} CONNECTION '${originUrl}' PUBLICATION ${subscription} WITH (copy_data = false)`,
    );
    return new NativeReplication(servers, { origin, target });
  }

  /** Applied rows a second of a backlog of `count` rows in transactions of `rowsEach`; the last one may be smaller. */
  async round(count: number, rowsEach: number): Promise<number> {
    const turn = ++this.#turn;
    await this.#switchOff();
    await this.#origin.query('SET synchronous_commit = off');
    await this.#mark(`${turn} first`);
    await this.#origin.query(`CALL write_backlog(${count}, ${turn * 17}, ${rowsEach})`);
    await this.#origin.query('SET synchronous_commit = on');
    await this.#mark(`${turn} last`);
    await this.#target.query(`ALTER SUBSCRIPTION ${subscription} ENABLE`);
    await this.#untilMarked([`${turn} first`, `${turn} last`]);
    const startMs = performance.now();
    await this.#untilMarked([`${turn} last`]);
    return (count * 1000) / (performance.now() - startMs);
  }

  /** A value on both sides, to see that the rows really travelled. */
  async isSame(): Promise<boolean> {
    const text = 'SELECT value FROM item WHERE key = $1';
    const [here, there] = await Promise.all(
      [this.#origin, this.#target].map((client) => client.query<{ value: string }>(text, [keyName(0)])),
    );
    return here?.rows[0]?.value === there?.rows[0]?.value;
  }

  async close(): Promise<void> {
    await this.#target.query(`DROP SUBSCRIPTION ${subscription}`);
    await Promise.all([this.#origin.end(), this.#target.end()]);
    await Promise.all([dropDatabase(this.#servers.origin, name), dropDatabase(this.#servers.target, name)]);
  }

  async #mark(value: string): Promise<void> {
    await this.#origin.query('UPDATE marker SET value = $1', [value]);
  }

  /** Off means that the origin's slot is free, not only that the worker was told. */
  async #switchOff(): Promise<void> {
    await this.#target.query(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
    const text = 'SELECT active FROM pg_replication_slots WHERE slot_name = $1';
    await until(async () => {
      const { rows } = await this.#origin.query<{ active: boolean }>(text, [subscription]);
      return rows[0]?.active === false;
    });
  }

  #untilMarked(values: readonly string[]): Promise<void> {
    return until(async () => {
      const { rows } = await this.#target.query<{ value: string }>('SELECT value FROM marker');
      return values.includes(rows[0]?.value ?? '');
    });
  }
}

/** An interrupted run leaves a subscription and its slot, with which no database can be dropped. */
async function removeRemains(servers: { readonly origin: string; readonly target: string }): Promise<void> {
  const text = 'SELECT FROM pg_subscription JOIN pg_database d ON d.oid = subdbid WHERE datname = $1';
  const { rowCount } = await withClient(servers.target, (client) => client.query(text, [name]));
  if (rowCount !== 0) {
    await withClient(urlOf(servers.target, name), async (client) => {
      await client.query(`ALTER SUBSCRIPTION ${subscription} DISABLE`);
      await client.query(`ALTER SUBSCRIPTION ${subscription} SET (slot_name = NONE)`);
      await client.query(`DROP SUBSCRIPTION ${subscription}`);
    });
  }
  const drop = `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
    WHERE slot_name = $1 AND NOT active`;
  await withClient(servers.origin, (client) => client.query(drop, [subscription]));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > endMs)
      throw new LoadError('not-in-time', `native replication was not done within ${timeoutMs} ms`);
    await delay(pollMs);
  }
}
