/**
 * The anchor of single writes: `pg` alone, one row committed at a time on each of 64 connections, on the server that
 * the origin region uses. Rows hold the same JSON under the same keys. Nothing is batched, prepared statements are
 * used, and commits are as durable as the region's.
 */
import type pg from 'pg';
import { closedLoop, perSecond } from '../closed-loop.ts';
import type { Workload } from '../workload.ts';
import { connect, createDatabase, dropDatabase } from './own-database.ts';

const name = 'isthmus_loadtest_raw';
const upsert = {
  name: 'write',
  text: 'INSERT INTO item (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
};

export class RawWriter {
  readonly #serverUrl: string;
  readonly #workload: Workload;
  readonly #clients: readonly pg.Client[];

  private constructor(serverUrl: string, workload: Workload, clients: readonly pg.Client[]) {
    this.#serverUrl = serverUrl;
    this.#workload = workload;
    this.#clients = clients;
  }

  /** With a row under every key, so that every later write is an update. */
  static async open(serverUrl: string, workload: Workload, connections: number): Promise<RawWriter> {
    const url = await createDatabase(serverUrl, name);
    const clients = await Promise.all(Array.from({ length: connections }, () => connect(url)));
    const [first] = clients;
    await first?.query('CREATE TABLE item (key text COLLATE "C" PRIMARY KEY, value text NOT NULL)');
    const rows = Array.from({ length: workload.keyCount }, () => workload.next());
    await first?.query('INSERT INTO item SELECT * FROM unnest($1::text[], $2::text[])', [
      rows.map(({ key }) => key),
      rows.map(({ value }) => JSON.stringify(value)),
    ]);
    await first?.query('VACUUM ANALYZE item');
    return new RawWriter(serverUrl, workload, clients);
  }

  /** Committed rows a second. */
  async round(durationMs: number): Promise<number> {
    const send = async (caller: number): Promise<void> => {
      const { key, value } = this.#workload.next();
      await this.#clients[caller]?.query({ ...upsert, values: [key, JSON.stringify(value)] });
    };
    return perSecond(await closedLoop({ callers: this.#clients.length, durationMs, send }));
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.end()));
    await dropDatabase(this.#serverUrl, name);
  }
}
