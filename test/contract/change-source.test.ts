import { performance } from 'node:perf_hooks';
import { encodeChanges } from '@isthmus/replication/adapters/postgres/wal-message';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { PostgresBench, Tap } from './change-source.bench.ts';
import { changeOf, changeSourceContract, openSoon, readCommits } from './change-source.contract.ts';

changeSourceContract('postgres', () => PostgresBench.open());

const emit = 'SELECT pg_logical_emit_message(true, $1, $2::bytea)';
const mebibyte = 1024 * 1024;

describe('the change source of Postgres', () => {
  let bench: PostgresBench;
  let tap: Tap;
  beforeAll(async () => {
    bench = await PostgresBench.open();
  }, 60_000);
  beforeEach(async () => {
    await bench.reset();
    tap = await Tap.open(bench.postgres.url);
    return () => tap.close();
  });
  afterAll(() => bench.close());

  test('P2: no end of a keepalive is confirmed, and keepalives make no storm', async () => {
    const stream = await bench.sourceThrough(tap.url).open();
    await bench.commit([changeOf(1)]);
    const [commit] = await readCommits(stream, 1);
    stream.confirm(commit?.end ?? 0n);
    await vi.waitFor(async () => expect(await bench.confirmed()).toBe(commit?.end));
    const before = tap.keepaliveCount;
    for (let round = 0; round < 100; round++) await bench.commitOthers();
    // The server sends one whenever it has caught up with WAL that holds nothing for us, and no more of its own.
    expect(tap.keepaliveCount).toBeGreaterThan(before);
    expect(tap.keepaliveCount).toBeLessThan(before + 1_000);
    await statusesFrom(tap, 2);
    const quiet = tap.keepaliveCount;
    await statusesFrom(tap, 2);
    expect(tap.keepaliveCount).toBeLessThan(quiet + 10);
    expect(await sentLag(bench)).toBe(0);
    expect(await bench.confirmed()).toBe(commit?.end);
    await stream.close();
  }, 20_000);

  test('an idle stream exchanges a few messages a second', async () => {
    const stream = await bench.sourceThrough(tap.url).open();
    await statusesFrom(tap, 3);
    expect(tap.keepaliveCount).toBeLessThan(20);
    await stream.close();
  });

  test('a transaction larger than the unread limit comes whole', async () => {
    const stream = await bench.source.open();
    await bench.query('BEGIN');
    for (let number = 0; number < 24; number++) {
      await bench.query('INSERT INTO elsewhere SELECT n FROM generate_series(1, 5000) n');
      await emitChange(bench, number, mebibyte);
    }
    await bench.query('COMMIT');
    await bench.commit([changeOf(24)]);
    const commits = await readCommits(stream, 2);
    expect(commits.map(({ changes }) => changes.length)).toEqual([24, 1]);
    expect(Buffer.compare(commits[0]?.changes[23]?.delta ?? Buffer.of(), changeOf(23, mebibyte).delta)).toBe(
      0,
    );
    await stream.close();
  }, 30_000);

  test('I12: a slow reader holds back the server, and is not given up by it', async () => {
    const limits = { maxUnreadBytes: 2 * mebibyte, walSenderTimeoutMs: 3_000 };
    const stream = await bench.sourceThrough(tap.url, limits).open();
    // More than what the kernels' buffers of two connections take, which is up to 38 MB and none of our doing.
    const count = 100;
    for (let number = 0; number < count; number++) await bench.commit([changeOf(number, mebibyte)]);
    // More than twice the time after which the server gives up a silent reader.
    await statusesFrom(tap, 7);
    expect(tap.bytesToClient).toBeLessThan(0.8 * count * mebibyte);
    const commits = await readCommits(stream, count);
    expect(commits.map(({ changes }) => changes[0]?.key)).toEqual(
      Array.from({ length: count }, (_, number) => changeOf(number).key),
    );
    await stream.close();
  }, 40_000);

  test('a message of ours that cannot be read stops the stream, after all before it', async () => {
    await bench.commit([changeOf(1)]);
    await bench.query(emit, ['isthmus.changes', Buffer.of(99)]);
    await bench.commit([changeOf(2)]);
    for (let attempt = 0; attempt < 2; attempt++) {
      const stream = await openSoon(bench.source);
      expect(await readCommits(stream, 1)).toMatchObject([{ changes: [changeOf(1)] }]);
      await expect(stream.read()).rejects.toMatchObject({ code: 'malformed-record', retriable: false });
      await stream.close();
    }
  });

  test('an absent slot is lost', async () => {
    await bench.dropSlot();
    await expect(bench.source.open()).rejects.toMatchObject({ code: 'slot-lost', retriable: false });
    await bench.createSlot();
  });

  test('a slot of another plugin is a fault of the set-up', async () => {
    await bench.dropSlot();
    await bench.query("SELECT pg_create_physical_replication_slot('isthmus_relay')");
    await expect(bench.source.open()).rejects.toMatchObject({
      code: 'database-misconfigured',
      retriable: false,
    });
  });

  test('a wrong password is a fault of the set-up, no server is a loss', async () => {
    const url = new URL(bench.postgres.url);
    url.password = 'wrong';
    const wrong = bench.sourceThrough(url.href);
    await expect(wrong.open()).rejects.toMatchObject({ code: 'database-misconfigured', retriable: false });
    tap.close();
    const absent = bench.sourceThrough(tap.url);
    await expect(absent.open()).rejects.toMatchObject({ code: 'source-lost', retriable: true });
  });

  test('a server that falls silent without hanging up is noticed', async () => {
    const stream = await bench.sourceThrough(tap.url).open();
    const lost = expect(stream.read()).rejects.toMatchObject({ code: 'source-lost' });
    const startedAtMs = performance.now();
    tap.fallSilent();
    await lost;
    expect(performance.now() - startedAtMs).toBeLessThan(10_000);
    await stream.close();
  }, 20_000);

  test('a killed server is a lost source, and after its restart the same commits come', async () => {
    const stream = await bench.source.open();
    await bench.commit([changeOf(1)]);
    await bench.commit([changeOf(2)]);
    const before = await readCommits(stream, 2);
    const lost = expect(stream.read()).rejects.toMatchObject({ code: 'source-lost' });
    await bench.killAndRestart();
    await lost;
    await stream.close();
    const next = await openSoon(bench.source);
    expect(await readCommits(next, 2)).toEqual(before);
    await next.close();
  }, 30_000);
});

test('a fast shutdown of the server does not wait for the stream', async () => {
  const bench = await PostgresBench.open();
  const stream = await bench.source.open();
  await bench.commit([changeOf(1)]);
  await readCommits(stream, 1);
  const ended = expect(stream.read()).rejects.toMatchObject({ code: 'source-lost' });
  const startedAtMs = performance.now();
  process.kill(bench.postgres.pid(), 'SIGINT');
  await vi.waitFor(() => expect(bench.postgres.isRunning()).toBe(false), { timeout: 30_000, interval: 10 });
  expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  await ended;
  await stream.close();
  await bench.close();
}, 60_000);

test('I3: a slot whose WAL was removed is lost', async () => {
  const bench = await PostgresBench.open({ max_slot_wal_keep_size: '1MB', max_wal_size: '32MB' });
  for (let round = 0; round < 6; round++) {
    await bench.query("INSERT INTO elsewhere SELECT n, repeat('x', 900) FROM generate_series(1, 20000) n");
    await bench.query('SELECT pg_switch_wal()');
    await bench.query('CHECKPOINT');
  }
  expect(await bench.query('SELECT wal_status FROM pg_replication_slots')).toEqual([{ wal_status: 'lost' }]);
  await expect(bench.source.open()).rejects.toMatchObject({ code: 'slot-lost', retriable: false });
  await bench.close();
}, 60_000);

/** Waits until the source has told the server so many times where it stands, once a second. */
async function statusesFrom(tap: Tap, count: number): Promise<void> {
  const wanted = tap.statusCount + count;
  await vi.waitFor(() => expect(tap.statusCount).toBeGreaterThanOrEqual(wanted), { timeout: 20_000 });
}

/** Bytes that the server has sent beyond what it was told has arrived. */
async function sentLag(bench: PostgresBench): Promise<number> {
  const rows = await bench.query(
    'SELECT pg_wal_lsn_diff(sent_lsn, write_lsn)::float8 AS lag FROM pg_stat_replication',
  );
  return Number(rows[0]?.['lag']);
}

async function emitChange(bench: PostgresBench, number: number, sizeBytes: number): Promise<void> {
  await bench.query(emit, ['isthmus.changes', encodeChanges([changeOf(number, sizeBytes)])]);
}
