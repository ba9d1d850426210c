/** The contract of `RetirementStore` in memory and on a real Postgres, where an applier can be in mid-flight. */
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MemoryRegion } from '../integration/memory-region.ts';
import { until } from '../until.ts';
import { freshDatabase } from './fresh-database.ts';
import { region } from './record-store.contract.ts';
import { apply, place, retirementStoreContract } from './retirement-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(async () => {
  await postgres.stop();
});

async function open() {
  const fresh = await freshDatabase(postgres);
  const { url: connectionString, slotName } = fresh;
  const database = await openDatabase({ connectionString, region: region('eu'), peers: [], slotName });
  const close = async (): Promise<void> => {
    await database.close();
    await fresh.drop();
  };
  return { ...database, fresh, close };
}

retirementStoreContract('memory', () => {
  const { retirements, records, transfers, jobs } = new MemoryRegion('eu', new ManualTimer());
  return Promise.resolve({ retirements, records, transfers, jobs, close: () => Promise.resolve() });
});

retirementStoreContract('postgres', open);

it('an applier that waits for a position which is being closed is fenced (P8)', async () => {
  const { fresh, records, retirements, close } = await open();
  await place(records, 0, 5n);
  const rival = new Client({ connectionString: fresh.url });
  await rival.connect();
  await rival.query('BEGIN; SELECT FROM isthmus.position FOR UPDATE');
  const waiting = (count: number) => async (): Promise<boolean> => {
    const found = await fresh.sql(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return found.length === count;
  };
  const closing = retirements.close(region('us'), null);
  await until('the close waits', 5000, waiting(1));
  const applying = apply(records, 5n);
  await until('the applier waits behind it', 5000, waiting(2));
  await rival.query('COMMIT');
  expect(await closing).toMatchObject([{ lsn: 5n }]);
  expect(await applying).toBe('fenced');
  await rival.end();
  await close();
});

it('a close waits for what a transfer is merging from that region (P8)', async () => {
  const { fresh, records, transfers, retirements, jobs, close } = await open();
  const id = { collection: 'c', key: 'k' };
  await records.commitLocal({
    ids: [id],
    decide: () => [{ index: 0, state: new Uint8Array([1]), delta: new Uint8Array([1]) }],
  });
  const job = await jobs.want({ donor: region('us'), origin: region('us'), cause: 'gap', isDryRun: false });
  const rival = new Client({ connectionString: fresh.url });
  await rival.connect();
  await rival.query('BEGIN; SELECT FROM isthmus.record FOR UPDATE');
  const waiting = (count: number) => async (): Promise<boolean> => {
    const found = await fresh.sql(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return found.length === count;
  };
  const decide = () => ({ writes: [{ index: 0, state: new Uint8Array([2]) }], refused: [] });
  const order: string[] = [];
  const merging = transfers.merge({ job, ids: [id], decide }).then(() => order.push('merged'));
  await until('the merge waits for the record', 5000, waiting(1));
  const closing = retirements.close(region('us'), null).then(() => order.push('closed'));
  await until('the close waits for the merge', 5000, waiting(2));
  await rival.query('COMMIT');
  await Promise.all([merging, closing]);
  expect(order).toEqual(['merged', 'closed']);
  await rival.end();
  await close();
});
