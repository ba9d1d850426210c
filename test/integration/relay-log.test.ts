/**
 * The relay over a log that somebody deletes, or makes again in another shape, while it publishes: it never calls itself
 * live while the log takes nothing, makes what is gone anew, and skips nothing (I3, I10).
 */
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryChangeSink } from '@isthmus/replication/adapters/memory/change-sink';
import { MemoryChangeSource } from '@isthmus/replication/adapters/memory/change-source';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryLog } from '@isthmus/replication/adapters/memory/log';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemorySlotKeeper } from '@isthmus/replication/adapters/memory/slot-keeper';
import { ReplicationError } from '@isthmus/replication/errors';
import { decodeLogRecord } from '@isthmus/replication/log/log-record';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { Relay } from '@isthmus/replication/relay/relay';
import { expect, onTestFinished, test } from 'vitest';
import { append, record } from '../contract/record-store.contract.ts';
import { silent } from './memory-region.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const identity = { region, incarnation: { counter: 1, nonce: 1 }, partitionCount: 1 };

/** A relay that is live over this sink. */
async function relayOver(sink: ChangeSink, paceMs = 0) {
  const timer = new ManualTimer();
  const database = new MemoryDatabase({ nowMs: () => timer.monotonicMs() });
  const records = new MemoryRecordStore(database);
  const beats = new MemoryBeatStore(database, records, []);
  const relay = new Relay({
    identity,
    source: new MemoryChangeSource(database),
    sink,
    beats,
    slots: new MemorySlotKeeper(database),
    timer,
    paceMs: () => paceMs,
    logger: silent,
    onSlotLost: () => undefined,
    onPublished: () => undefined,
  });
  const hold = await beats.tryHold();
  const write = async (key: string): Promise<void> => {
    await records.commitLocal(append([record(key)], 'x'));
    await hold?.beat();
    await timer.advance(100);
  };
  relay.start();
  onTestFinished(() => relay.close());
  await write('first');
  expect(relay.state).toBe('live');
  return { timer, relay, records, write };
}

test('topics that are gone are made anew by the relay that publishes, which is not live meanwhile', async () => {
  const log = new MemoryLog();
  const { timer, relay, write } = await relayOver(new MemoryChangeSink(log));
  for (const topic of ['changes', 'progress', 'control'] as const) log.delete(topic);
  await write('second');
  expect(relay.state).toBe('retrying');
  expect(relay.published?.count).toBe(1);
  await timer.advance(5_000);
  expect(relay.state).toBe('live');
  expect(relay.published?.count).toBe(2);
  await write('third');
  const held = log.partitions('changes')?.[0]?.read(0n, 1_000_000) ?? [];
  const said = held.map(({ bytes }) => decodeLogRecord(bytes));
  const keys = said.flatMap((each) => (each.kind === 'changes' ? each.changes.map(({ key }) => key) : []));
  expect(keys).toEqual(['second', 'third']);
  expect(log.partitions('progress')).toHaveLength(1);
  expect(log.partitions('control')).toHaveLength(1);
});

test('a log that does not answer is not looked at each time, and taken up where it was', async () => {
  const log = new MemoryLog();
  const inner = new MemoryChangeSink(log);
  let looks = 0;
  let tries = 0;
  const { timer, relay, write } = await relayOver({
    prepare: (count) => {
      looks += 1;
      return inner.prepare(count);
    },
    publish: (records) => {
      tries += 1;
      return inner.publish(records);
    },
    publishProgress: (bytes) => inner.publishProgress(bytes),
    close: () => inner.close(),
  });
  log.stop();
  [looks, tries] = [0, 0];
  await write('second');
  await timer.advance(60_000);
  expect(relay.state).toBe('retrying');
  expect(looks).toBeGreaterThan(0);
  expect(tries).toBeGreaterThan(2 * looks);
  log.start();
  await timer.advance(2_000);
  expect(relay.state).toBe('live');
});

test('topics that were made again in another shape take nothing, and the relay does not call itself live (P2)', async () => {
  let isOther = false;
  const { timer, relay, write } = await relayOver({
    prepare: async () => {
      if (isOther) throw new ReplicationError('partition-count-mismatch', 'two', { retriable: false });
    },
    publish: async () => {
      if (isOther) throw new ReplicationError('log-unavailable', 'no leader', { retriable: true });
    },
    publishProgress: () => Promise.resolve(),
    close: () => Promise.resolve(),
  });
  isOther = true;
  await write('second');
  for (let second = 0; second < 30; second++) {
    await timer.advance(1_000);
    expect(relay.state).toBe('retrying');
  }
  isOther = false;
  await timer.advance(5_000);
  expect(relay.state).toBe('live');
});

test('the relay of a busy process publishes what comes in quick succession together, and nothing later than that', async () => {
  const inner = new MemoryChangeSink(new MemoryLog());
  const published: string[][] = [];
  const sink: ChangeSink = {
    prepare: (count) => inner.prepare(count),
    publish: (records) => {
      const said = records.map(({ bytes }) => decodeLogRecord(bytes));
      published.push(
        said.flatMap((each) => (each.kind === 'changes' ? each.changes.map(({ key }) => key) : [])),
      );
      return inner.publish(records);
    },
    publishProgress: (bytes) => inner.publishProgress(bytes),
    close: () => inner.close(),
  };
  const { timer, records } = await relayOver(sink, 16);
  const keys = Array.from({ length: 4500 }, (_, index) => `k${index}`);
  for (let at = 0; at < keys.length; at += 3) {
    await records.commitLocal(
      append(
        keys.slice(at, at + 3).map((key) => record(key)),
        'x',
      ),
    );
    await timer.advance(1);
  }
  await timer.advance(16);
  const sizes = published.map(({ length }) => length);
  expect(published.flat().slice(-keys.length)).toEqual(keys);
  expect(sizes.slice(-10, -1)).toEqual(Array.from({ length: 9 }, () => 48));
});
