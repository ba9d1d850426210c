/** What the soak calls bloat, on a real Postgres: not that a table grows with its rows, but that it does without them. */
import { startPostgres, type Postgres } from '@isthmus/local/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase } from '../contract/fresh-database.ts';
import { readPlace, type Reading } from '../soak/readings.ts';

let postgres: Postgres;

beforeAll(async () => {
  postgres = await startPostgres();
});

afterAll(() => postgres.stop());

test('a table may grow with its rows, and not without them', async () => {
  const database = await freshDatabase(postgres, '');
  const read = (): Promise<Reading> =>
    readPlace({ regionPid: null, kafkaPid: null, database: database.url, folder: 'none' });
  const insert = (count: number) =>
    database.sql(
      `INSERT INTO held SELECT number, repeat('x', 100) FROM generate_series((SELECT count(*) FROM held), (SELECT count(*) FROM held) + ${count} - 1) number`,
    );
  await database.sql(
    'CREATE TABLE held (number bigint PRIMARY KEY, text text) WITH (autovacuum_enabled = off)',
  );
  expect(await read()).toMatchObject({ rowsMb: 0, bloat: null });
  await insert(5000);
  const few = await read();
  await insert(45_000);
  const many = await read();
  expect((many.rowsMb ?? 0) / (few.rowsMb ?? 0)).toBeCloseTo(10, 0);
  expect(many.bloat).toBeCloseTo(few.bloat ?? 0, 0);
  await database.sql("UPDATE held SET text = repeat('y', 100)");
  const bloated = await read();
  expect(bloated.rowsMb).toBe(many.rowsMb);
  expect(bloated.bloat).toBeGreaterThan(1.8 * (many.bloat ?? 0));
  await database.drop();
});
