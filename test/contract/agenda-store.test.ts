/** The contract of `AgendaStore` on a real Postgres and in memory. */
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { MemoryAgendaStore } from '@isthmus/replication/adapters/memory/agenda-store';
import { MemoryIncidentStore } from '@isthmus/replication/adapters/memory/incident-store';
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { afterAll, beforeAll } from 'vitest';
import { agendaStoreContract } from './agenda-store.contract.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { PostgresRegion } from './postgres-region.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
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
