/**
 * The relay over a slot that is lost: it goes on at the new one's beginning, leaves the missing interval open for
 * readers to see, and never says of a later slot that nothing came before it (I3).
 */
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryChangeSource } from '@isthmus/replication/adapters/memory/change-source';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { changesBetween } from '@isthmus/replication/change-count';
import { ReplicationError } from '@isthmus/replication/errors';
import { decodeLogRecord } from '@isthmus/replication/log/log-record';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import type { ChangeSource } from '@isthmus/replication/ports/change-source';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { Relay } from '@isthmus/replication/relay/relay';
import { expect, test } from 'vitest';
import { append, record } from '../contract/record-store.contract.ts';
import { silent } from './memory-region.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const identity = { region: eu, incarnation: { counter: 1, nonce: 1 }, partitionCount: 1 };

/** A region's relay over a database, and the log that it fills. */
function region() {
  const timer = new ManualTimer();
  const database = new MemoryDatabase({ nowMs: () => timer.monotonicMs() });
  const records = new MemoryRecordStore(database);
  const beats = new MemoryBeatStore(database, records, []);
  const slots = new MemorySlotKeeper(database);
  const held: Uint8Array[] = [];
  const sink: ChangeSink = {
    prepare: () => Promise.resolve(),
    publish: async (published) => {
      held.push(...published.map(({ bytes }) => bytes));
    },
    publishProgress: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  let losses = 0;
  const stores = { areCounts: true };
  const storePublished: typeof beats.storePublished = async (published) => {
    if (!stores.areCounts)
      throw new ReplicationError('database-unavailable', 'counts are not stored', { retriable: true });
    await beats.storePublished(published);
  };
  return {
    timer,
    database,
    slots,
    stores,
    losses: () => losses,
    said: () => held.map(decodeLogRecord),
    counts: () =>
      held
        .map(decodeLogRecord)
        .flatMap((each) => (each.kind === 'changes' ? each.beats.map(({ count }) => count) : [])),
    relay: (source: ChangeSource = new MemoryChangeSource(database)) =>
      new Relay({
        identity,
        source,
        sink,
        beats: {
          storePublished,
          countAt: (end) => beats.countAt(end),
          overview: () => beats.overview(),
        },
        slots,
        timer,
        paceMs: () => 0,
        logger: silent,
        onSlotLost: () => losses++,
        onPublished: () => undefined,
      }),
    write: async (key: string): Promise<void> => {
      const hold = await beats.tryHold();
      await records.commitLocal(append([record(key)], 'x'));
      await hold?.beat();
      await hold?.release();
      await timer.advance(3000);
    },
  };
}

test('a slot made anew leaves a gap, and no second beginning', async () => {
  const { timer, database, slots, said, losses, relay, write } = region();
  const before = relay();
  before.start();
  await write('before');
  const first = slots.current;
  await before.close();
  await write('missing');
  database.wal.dropSlot();
  const next = relay();
  next.start();
  await timer.advance(5000);
  await write('after');
  await next.close();
  expect(said().filter(({ kind }) => kind === 'start')).toMatchObject([{ at: first.from }]);
  const changes = said().filter((each) => each.kind === 'changes');
  expect(changes.flatMap((each) => each.changes.map(({ key }) => key))).toEqual(['before', 'after']);
  const begins = changes.find(({ from }) => from === slots.current.from);
  const ended = changes.find((each) => each.changes.some(({ key }) => key === 'before'));
  expect(begins?.from ?? 0n).toBeGreaterThan(ended?.to ?? 0n);
  expect([slots.current.number, losses()]).toEqual([2, 1]);
});

test('a relay that ended before its first confirmation arrived leaves a count that the next one repeats', async () => {
  const { database, counts, relay, write } = region();
  const unconfirming = new MemoryChangeSource(database);
  const first = relay({
    open: async () => {
      const stream = await unconfirming.open();
      return {
        start: stream.start,
        read: () => stream.read(),
        confirm: () => undefined,
        close: () => stream.close(),
      };
    },
  });
  first.start();
  await write('one');
  await write('two');
  await first.close();
  expect(counts()).toEqual([1, 2]);
  const next = relay();
  next.start();
  await write('three');
  await next.close();
  expect(counts()).toEqual([1, 2, 1, 2, 3]);
});

// P7: a peer may have settled counts that were never stored here, and what a slot had not read is in none.
test('counts of a slot that was lost are compared with none of a later one, though none was ever stored', async () => {
  const { timer, database, stores, counts, relay, write } = region();
  stores.areCounts = false;
  for (const key of ['one', 'two', 'three']) {
    const relaying = relay();
    relaying.start();
    await timer.advance(5000);
    await write(key);
    await relaying.close();
    await write(`missing after ${key}`);
    database.wal.dropSlot();
  }
  const [first = null, second = null, third = null, ...more] = counts();
  expect(more).toEqual([]);
  if (first === null || second === null || third === null) return expect.fail('every beat is counted');
  expect([changesBetween(first, second), changesBetween(second, third)]).toEqual([null, null]);
});
