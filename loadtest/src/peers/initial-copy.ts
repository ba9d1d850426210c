/**
 * The anchor of a transfer: the first copy that Postgres's own logical replication makes of a table of as many rows of the
 * same size, between the same two servers. The time is that from creating the subscription to the last row being there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadError } from '../errors.ts';
import { connect, createDatabase, dropDatabase } from './own-database.ts';

const name = 'isthmus_loadtest_copy';
const pollMs = 50;
const timeoutMs = 600_000;
const table = 'CREATE TABLE item (key text COLLATE "C" PRIMARY KEY, value text NOT NULL)';

export interface CopyServers {
  readonly origin: string;
  readonly target: string;
}

/** Rows a second. */
export async function initialCopy(servers: CopyServers, count: number, valueBytes: number): Promise<number> {
  const urls = [
    await createDatabase(servers.origin, name),
    await createDatabase(servers.target, name),
  ] as const;
  const [origin, target] = await Promise.all(urls.map(connect));
  if (origin === undefined || target === undefined)
    throw new LoadError('connection-lost', 'the servers of the copy could not be reached');
  try {
    for (const client of [origin, target]) await client.query(table);
    const filler = `INSERT INTO item SELECT 'key-' || n, substr(repeat(md5(n::text), 1 + $2::int / 32), 1, $2::int)
      FROM generate_series(1, $1::int) AS n`;
    await origin.query(filler, [count, valueBytes]);
    await origin.query(`CREATE PUBLICATION ${name} FOR TABLE item`);
    const startMs = performance.now();
    await target.query(`CREATE SUBSCRIPTION ${name} CONNECTION '${urls[0]}' PUBLICATION ${name}`);
    await untilCopied(() => target.query("SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r'"));
    const tookMs = performance.now() - startMs;
    await target.query(`DROP SUBSCRIPTION ${name}`);
    return (count * 1000) / tookMs;
  } finally {
    await Promise.all([origin.end(), target.end()]);
    await Promise.all([dropDatabase(servers.target, name), dropDatabase(servers.origin, name)]);
  }
}

async function untilCopied(unready: () => Promise<{ readonly rowCount: number | null }>): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while ((await unready()).rowCount !== 0) {
    if (performance.now() > endMs) throw new LoadError('not-in-time', `no copy within ${timeoutMs} ms`);
    await delay(pollMs);
  }
}
