/** The contract of `AgendaStore` on a real Postgres and in memory. */
import { MemoryAgendaStore } from '@isthmus/replication/adapters/memory/agenda-store';
import { MemoryIncidentStore } from '@isthmus/replication/adapters/memory/incident-store';
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agendaStoreContract } from './agenda-store.contract.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { PostgresRegion } from './postgres-region.ts';
import { region as regionId } from './record-store.contract.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(() => postgres.stop());

agendaStoreContract('postgres', async () => {
  const region = await PostgresRegion.begin(postgres);
  return { ...(await region.open()), close: () => region.close() };
});

agendaStoreContract('memory', async () => {
  const ground = freshMemoryIdentity();
  const { database, records } = ground;
  const retirements = new MemoryRetirementStore(database, records);
  const stores = { ...ground, retirements, incidents: new MemoryIncidentStore() };
  const { deadLetters } = records;
  return { ...stores, agenda: new MemoryAgendaStore(stores), deadLetters, close: async () => undefined };
});

it('a table that cannot be read stays as it was last read, and keeps nobody from the others', async () => {
  const region = await PostgresRegion.begin(postgres);
  const hide = async (hidden: boolean): Promise<void> => {
    for (const table of ['transfer', 'dead_letter']) {
      const [from, to] = hidden ? [table, `${table}_away`] : [`${table}_away`, table];
      await region.fresh.sql(`ALTER TABLE isthmus.${from} RENAME TO ${to}`);
    }
  };
  const { agenda, jobs, drains, verifications } = await region.open();
  const peer = regionId('us');
  await hide(true);
  await expect(agenda.read()).rejects.toMatchObject({ message: expect.stringContaining('isthmus.transfer') });
  await hide(false);
  const id = await jobs.want({ donor: peer, origin: peer, cause: 'repair', isDryRun: false });
  expect(await agenda.read()).toMatchObject({ drained: null, jobs: [{ id }], verifications: [] });
  await hide(true);
  await drains.begin();
  await verifications.want([peer]);
  const letters = { hasFates: false, leastStampMs: null };
  const read = { drained: { beat: null }, jobs: [{ id }], verifications: [{ peer }], letters };
  expect(await agenda.read()).toMatchObject(read);
  await hide(false);
  await jobs.end(id, { state: 'done', detail: '' });
  expect(await agenda.read()).toMatchObject({ ...read, jobs: [] });
  await region.close();
});
