/**
 * What a server says of the end of its past when it was started (P1), on a real Postgres: a standby that lacks the newest
 * write is found out however much its start has written since, and a server that had ended well is not accused.
 */
import { join } from 'node:path';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { PeerEvidence } from '@isthmus/replication/identity/peer-evidence';
import type { Beat, Lsn } from '@isthmus/replication/ports/change';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Standby, startStandby } from '../chaos/standby.ts';
import { until } from '../until.ts';
import { type FreshDatabase, freshDatabase, query } from './fresh-database.ts';
import { append, record, region } from './record-store.contract.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let primary: Postgres;
let servers: Postgres[];
let fresh: FreshDatabase;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isthmus-promoted-'));
  // The user that servers run as may be another.
  await chmod(folder, 0o755);
  primary = await startPostgres({ keepIn: join(folder, 'primary') });
  servers = [primary];
  fresh = await freshDatabase(primary);
}, 60_000);
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

function open(url: string): Promise<Database> {
  return openDatabase({ connectionString: url, region: region('eu'), peers: [], slotName: fresh.slotName });
}

interface Past {
  readonly beat: Beat;
  /** After a write that followed the beat. */
  readonly end: Lsn;
}

/** `meanwhile` is between the beat and the write. */
async function livePast(meanwhile: () => Promise<void>): Promise<Past> {
  const database = await open(fresh.url);
  try {
    const hold = (await database.beats.tryHold()) ?? expect.fail('nobody holds the beats');
    await hold.beat();
    await hold.release();
    await meanwhile();
    const committed = await database.records.commitLocal(append([record('a')], 'x'));
    const { beat } = await database.past.newestBeat();
    return {
      beat: beat ?? expect.fail('it was written'),
      end: committed?.end ?? expect.fail('it was written'),
    };
  } finally {
    await database.close();
  }
}

/** That of a peer that has applied all of it. */
async function compare({ past, identity }: Database, { beat, end }: Past) {
  const { number, ...made } = beat;
  const evidence = new PeerEvidence({
    self: identity,
    peers: [region('us')],
    closed: () => [],
    memory: {
      rememberedBy: async () => ({ incarnation: identity.incarnation, number, made, applied: end }),
    },
    past,
    timer: new ManualTimer(),
    logger: quiet,
  });
  return (await evidence.compare()).kind;
}

test('a standby that lacks a write which a peer has applied does not continue its past', async () => {
  const places = { primary, beside: join(folder, 'primary'), keepIn: join(folder, 'standby') };
  const past = await livePast(async () => {
    const standby = await startStandby(places);
    servers.push(standby.server);
    await leave(standby);
  });
  const server = servers[1] ?? expect.fail('it was started');
  await primary.kill('SIGKILL');
  await server.restart();
  await query(server.url, 'SELECT pg_promote(true, 60)');
  const url = new URL(fresh.url);
  url.port = String(server.port);
  const promoted = await open(url.href);
  try {
    expect(await promoted.past.continuity()).toMatchObject({ kind: 'unproven', isPromoted: true });
    await query(server.url, "SELECT pg_logical_emit_message(false, 'anything', repeat('x', 100000))");
    expect(await promoted.past.insertLsn(), 'it has written more than it lacks').toBeGreaterThan(past.end);
    expect(await promoted.past.recoveredTo()).toBeLessThan(past.end);
    expect(await compare(promoted, past)).toBe('broken');
  } finally {
    await promoted.close();
  }
}, 120_000);

test.each(['SIGINT', 'SIGKILL'] as const)(
  'a server that %s ended and that lacks nothing continues it',
  async (signal) => {
    const past = await livePast(async () => undefined);
    await primary.kill(signal);
    await until('the server has ended', 30_000, () => !primary.isRunning());
    await primary.restart();
    const database = await open(fresh.url);
    try {
      expect(await database.past.continuity()).toMatchObject({ kind: 'unproven', isPromoted: false });
      expect(await database.past.recoveredTo()).toBeGreaterThanOrEqual(past.end);
      expect(await compare(database, past)).toBe('continues');
    } finally {
      await database.close();
    }
  },
  60_000,
);

/** It holds what was written until now and gets nothing any more. */
async function leave({ server }: Standby): Promise<void> {
  await query(primary.url, 'ALTER SYSTEM RESET synchronous_standby_names');
  await query(primary.url, 'SELECT pg_reload_conf()');
  await until('commits wait for nobody', 30_000, async () => {
    const [found] = await query(primary.url, 'SHOW synchronous_standby_names');
    return found?.['synchronous_standby_names'] === '';
  });
  await server.kill('SIGKILL');
  await until('the standby has ended', 30_000, () => !server.isRunning());
}
