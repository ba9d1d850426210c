/**
 * The contract of `BeatStore` on a real Postgres, and what only this adapter promises: the order of statements inside
 * a beat, that its commit waits for the disk, that a lost connection loses the hold, and which beats are pruned.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { insertBeat } from '@isthmus/replication/adapters/postgres/beat-hold';
import { openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import type { Database } from '@isthmus/replication/adapters/postgres/open-database';
import { decodeBeat, parseLsn } from '@isthmus/replication/adapters/postgres/wal-message';
import { beatStoreContract, beats, counted, peers, region, taken, told } from './beat-store.contract.ts';
import type { FreshDatabase } from './fresh-database.ts';
import { freshDatabase } from './fresh-database.ts';
import { type ScratchPostgres, startScratchPostgres } from './scratch-postgres.ts';
import { until } from '../until.ts';

/** Is struck. */
let postgres: Postgres;
let scratch: ScratchPostgres;
beforeAll(async () => {
  [postgres, scratch] = await Promise.all([startPostgres(), startScratchPostgres()]);
});
afterAll(async () => {
  await Promise.all([postgres.stop(), scratch.stop()]);
});

function open(fresh: FreshDatabase): Promise<Database> {
  return openDatabase({
    connectionString: fresh.url,
    region: region('eu'),
    peers,
    slotName: fresh.slotName,
    trustsRestarts: true,
  });
}

beatStoreContract('postgres', async () => {
  const fresh = await freshDatabase(scratch);
  const [first, second] = await Promise.all([open(fresh), open(fresh)]);
  return {
    store: first.beats,
    other: second.beats,
    newcomer: () => second.beats.tryHold(),
    records: second.records,
    loseSlot: async () => {
      await fresh.sql(`SELECT pg_drop_replication_slot('${fresh.slotName}')`);
      return (await first.slots.renew('dropped')).from;
    },
    retire: (peer) => first.retirements.close(peer, null),
    setClockBack: async (byMs) => {
      await fresh.sql(`UPDATE isthmus.beat SET at = at + make_interval(secs => ${byMs / 1000})`);
    },
    close: async () => {
      await Promise.all([first.close(), second.close()]);
      await fresh.drop();
    },
  };
});

describe('the Postgres beat store', () => {
  let fresh: FreshDatabase;
  let database: Database;
  beforeEach(async () => {
    fresh = await freshDatabase(postgres);
    database = await open(fresh);
  });
  afterEach(async () => {
    await database.close();
    await fresh.drop();
  });

  it('emits each beat as the message that the relay decodes', async () => {
    const written = await beats(database.beats, 2);
    const messages = await fresh.sql(
      `SELECT data FROM pg_logical_slot_peek_binary_changes('${fresh.slotName}', NULL, NULL,
        'proto_version', '1', 'publication_names', 'isthmus_relay', 'messages', 'true')`,
    );
    const prefix = 'isthmus.beat\0';
    const emitted = messages
      .map((row) => (Buffer.isBuffer(row['data']) ? row['data'] : Buffer.alloc(0)))
      .filter((data) => data.includes(prefix))
      .map((data) => decodeBeat(data.toString('utf8', data.indexOf(prefix) + prefix.length + 4)));
    expect(emitted).toEqual(written);
  });

  it.each([
    { what: 'nothing is known', least: null, most: null, total: 0 },
    { what: 'it shows enough', least: -10_000, most: 100, total: 0 },
    { what: 'it shows less', least: 20_000, most: 30_000, total: 30_000 },
    { what: 'the beat before lies beyond that', least: 20_000, most: -10_000, passed: 40_000, total: 40_000 },
  ])(
    'takes its clock for set back by what its writer says: $what',
    async ({ least, most, passed = null, total }) => {
      await beats(database.beats, 1);
      const clockMs = '(extract(epoch FROM clock_timestamp()) * 1000)::double precision';
      await fresh.sql(
        insertBeat.text
          .replace("current_setting('isthmus.beat_lsn')::pg_lsn", 'pg_current_wal_insert_lsn()')
          .replaceAll('$1', `${clockMs} + $1`)
          .replaceAll('$2', `${clockMs} + $2`),
        [least, most, passed],
      );
      const [row] = await fresh.sql('SELECT set_back_ms FROM isthmus.beat ORDER BY number DESC LIMIT 1');
      expect(Number(row?.['set_back_ms'])).toBeCloseTo(total, -3);
    },
  );

  it('reads the insert position before its transaction has an id, and records that id', async () => {
    await beats(database.beats, 1);
    const [row] = await fresh.sql('SELECT lsn::text, xid::text, xmin::text FROM isthmus.beat');
    expect(row?.['xid']).toBe(row?.['xmin']);
    const [first] = await fresh.sql(
      `SELECT min(lsn)::text AS lsn FROM pg_logical_slot_peek_binary_changes('${fresh.slotName}', NULL, NULL,
        'proto_version', '1', 'publication_names', 'isthmus_relay', 'messages', 'true')`,
    );
    expect(parseLsn(String(row?.['lsn'])) <= parseLsn(String(first?.['lsn']))).toBe(true);
  });

  it.each(['beat', 'published', 'heard', 'nothing heard'])(
    'waits for the disk even where the role does not: %s',
    async (what) => {
      await database.close();
      await fresh.sql(`ALTER DATABASE ${fresh.name} SET synchronous_commit = off`);
      database = await open(fresh);
      const hold = await taken(database.beats);
      const write = {
        beat: () => hold.beat(),
        published: () => database.beats.storePublished([beat(1)]),
        heard: () => database.beats.storeHeard([heard(1)]),
        'nothing heard': () => database.beats.storeHeard([]),
      }[what];
      await write?.();
      const before = await insertPosition();
      await write?.();
      const [row] = await fresh.sql('SELECT pg_current_wal_flush_lsn()::text AS flushed');
      expect(parseLsn(String(row?.['flushed'])) > before).toBe(true);
      await hold.release();
    },
  );

  it('loses the hold with its connection, and somebody else gets it', async () => {
    const hold = await taken(database.beats);
    await hold.beat();
    await fresh.sql(
      "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted",
    );
    await expect(hold.beat()).rejects.toMatchObject({ code: 'database-unavailable', retriable: true });
    const next = await taken(database.beats);
    await next.beat();
    await expect(hold.beat()).rejects.toMatchObject({ code: 'database-unavailable' });
    await hold.release();
    expect(await database.beats.tryHold()).toBeNull();
    await next.release();
  });

  it('takes the hold from a process that is alive but stopped', async () => {
    const hold = await taken(database.beats);
    expect(await database.beats.tryHold()).toBeNull();
    const next = await until('the hold is free', 10_000, () => database.beats.tryHold());
    await expect(hold.beat()).rejects.toMatchObject({ code: 'database-unavailable' });
    await hold.release();
    await next.release();
  });

  it('gives the hold back while Postgres is down', async () => {
    const hold = await taken(database.beats);
    await postgres.kill('SIGKILL');
    await expect(hold.beat()).rejects.toMatchObject({ code: 'database-unavailable' });
    await expect(database.beats.tryHold()).rejects.toMatchObject({ code: 'database-unavailable' });
    await hold.release();
    await postgres.restart();
    const next = await taken(database.beats);
    await next.beat();
    await next.release();
  });

  it('stores the count of a beat that was pruned before the relay came to it', async () => {
    const [first, second] = counted(await beats(database.beats, 2), [1, 2]);
    await fresh.sql('DELETE FROM isthmus.beat WHERE number = 1');
    await database.beats.storePublished([first, second]);
    expect(await database.beats.countAt(first.end)).toBe(1);
    expect(await database.beats.beatAtMs(1)).toBeCloseTo(first.atMs, 2);
  });

  it('forgets the progress that belongs to another incarnation of this region', async () => {
    await beats(database.beats, 1);
    await database.beats.storePeerProgress(told({ settled: [10n], settledBeat: 1 }));
    await database.close();
    await fresh.sql('UPDATE isthmus.identity SET incarnation_counter = 2');
    database = await open(fresh);
    expect((await database.beats.overview()).progress).toEqual([]);
    expect((await database.beats.overview()).rpo).toContainEqual({
      peer: 'us',
      coveredAtMs: null,
      settledCount: null,
    });
    await database.beats.storePeerProgress(told({ settled: [3n], settledBeat: 1 }));
    expect((await database.beats.overview()).progress).toEqual([told({ settled: [3n], settledBeat: 1 })]);
  });

  describe('pruning', () => {
    const numbers = async (): Promise<readonly number[]> => {
      const rows = await fresh.sql('SELECT number::int FROM isthmus.beat ORDER BY number');
      return rows.map((row) => Number(row['number']));
    };
    /** One beat every `everySeconds`, the last of them now. */
    const past = (count: number, everySeconds: number): Promise<unknown> =>
      fresh.sql(
        `INSERT INTO isthmus.beat (number, lsn, at, count, end_lsn, published)
        SELECT n, '0/1'::pg_lsn + n, now() - ($1::int - n) * $2::int * interval '1 second', n, '0/1'::pg_lsn + n, true
        FROM generate_series(1, $1::int) AS n`,
        [count, everySeconds],
      );
    const settle = async (settledBeat: number): Promise<void> => {
      for (const peer of peers) {
        await database.beats.storePeerProgress({ ...told({ settledBeat }), peer });
      }
    };

    it('keeps ten minutes, and older beats that a peer has not settled', async () => {
      await past(20, 60);
      await settle(5);
      expect(await database.beats.prune()).toBe(4);
      expect((await numbers())[0]).toBe(5);
      await settle(18);
      await database.beats.prune();
      expect((await numbers())[0]).toBe(11);
    });

    it('keeps what a configured peer that was never heard may need', async () => {
      await past(20, 60);
      await database.beats.storePeerProgress(told({ settledBeat: 18 }));
      expect(await database.beats.prune()).toBe(0);
    });

    it('keeps what the own log does not hold', async () => {
      await past(20, 60);
      await settle(18);
      await fresh.sql('UPDATE isthmus.beat SET published = false WHERE number > 13');
      await database.beats.prune();
      expect((await numbers())[0]).toBe(4);
    });

    it('keeps what a slot may go back to, however long the server was away (P2)', async () => {
      await past(1000, 1);
      await fresh.sql("UPDATE isthmus.beat SET at = at - interval '3 hours'");
      await settle(1000);
      const hold = await taken(database.beats);
      await hold.beat();
      await hold.release();
      await database.beats.prune();
      expect(await numbers()).toEqual([...Array.from({ length: 600 }, (_, index) => 401 + index), 1001]);
    });

    it('thins what is kept for long, and keeps the figures on the side of more lag', async () => {
      await past(2000, 10);
      await settle(300);
      expect((await database.beats.overview()).rpo).toContainEqual(
        expect.objectContaining({ settledCount: 300 }),
      );
      await database.beats.prune();
      const kept = await numbers();
      expect(kept.slice(0, 5)).toEqual([300, 480, 720, 960, 1200]);
      expect(kept.filter((number) => number > 1640)).toHaveLength(360);
      await settle(700);
      expect((await database.beats.overview()).rpo).toContainEqual(
        expect.objectContaining({ settledCount: 480 }),
      );
    });

    it('keeps one beat where all are old', async () => {
      await past(5, 600);
      await fresh.sql("UPDATE isthmus.beat SET at = at - interval '90 days'");
      await settle(5);
      await database.beats.prune();
      expect(await numbers()).toEqual([5]);
      const hold = await taken(database.beats);
      await hold.beat();
      await hold.release();
      expect(await numbers()).toEqual([5, 6]);
    });

    it('is bounded for a peer that is away for ever', async () => {
      await past(10_000, 3600);
      await database.beats.prune();
      expect((await numbers()).length).toBeLessThan(10);
    });

    it('removes nothing where there is nothing', async () => {
      expect(await database.beats.prune()).toBe(0);
    });
  });

  async function insertPosition(): Promise<bigint> {
    const [row] = await fresh.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    return parseLsn(String(row?.['lsn']));
  }
});

function beat(number: number): Parameters<Database['beats']['storePublished']>[0][number] {
  return { number, lsn: 1n, atMs: 1, end: 2n, count: 3 };
}

function heard(number: number): Parameters<Database['beats']['storeHeard']>[0][number] {
  return { origin: region('us'), incarnation: { counter: 1, nonce: 7 }, beat: beat(number), receivedAtMs: 1 };
}
