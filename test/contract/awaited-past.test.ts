/** What is awaited of a region's later life, on a real Postgres and in memory. */
import { MemoryAgendaStore } from '@isthmus/replication/adapters/memory/agenda-store';
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { MemorySessionStore } from '@isthmus/replication/adapters/memory/session-store';
import { afterAll, beforeAll } from 'vitest';
import { awaitedPastContract } from './awaited-past.contract.ts';
import { freshMemoryIdentity } from './memory-identity.ts';
import { PostgresRegion } from './postgres-region.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';

let postgres: ScratchPostgres;
beforeAll(async () => {
  postgres = await startScratchPostgres();
});
afterAll(() => postgres.stop());

awaitedPastContract('postgres', async () => {
  const region = await PostgresRegion.begin(postgres);
  return { ...(await region.open()), close: () => region.close() };
});

awaitedPastContract('memory', async () => {
  const ground = freshMemoryIdentity();
  const { database, records } = ground;
  const retirements = new MemoryRetirementStore(database, records);
  const sessions = new MemorySessionStore({ ...ground, retirements });
  return {
    ...ground,
    retirements,
    sessions,
    agenda: new MemoryAgendaStore(ground),
    close: async () => undefined,
  };
});
