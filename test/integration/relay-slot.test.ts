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
import { decodeLogRecord } from '@isthmus/replication/log/log-record';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { Relay } from '@isthmus/replication/relay/relay';
import { expect, test } from 'vitest';
import { append, record } from '../contract/record-store.contract.ts';
import { silent } from './memory-region.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const identity = { region, incarnation: { counter: 1, nonce: 1 }, partitionCount: 1 };

test('a slot made anew leaves a gap, and no second beginning', async () => {
  const timer = new ManualTimer();
  const database = new MemoryDatabase({ nowMs: () => timer.monotonicMs() });
  const records = new MemoryRecordStore(database);
  const beats = new MemoryBeatStore(database, []);
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
  const relay = new Relay({
    identity,
    source: new MemoryChangeSource(database),
    sink,
    beats,
    slots,
    timer,
    logger: silent,
    onSlotLost: () => losses++,
    onPublished: () => undefined,
  });
  const hold = await beats.tryHold();
  const write = async (key: string): Promise<void> => {
    await records.commitLocal(append([record(key)], 'x'));
    await hold?.beat();
    await timer.advance(3000);
  };
  relay.start();
  await write('before');
  const first = slots.current;
  await relay.close();
  await write('missing');
  database.wal.dropSlot();
  const next = new Relay({
    identity,
    source: new MemoryChangeSource(database),
    sink,
    beats,
    slots,
    timer,
    logger: silent,
    onSlotLost: () => losses++,
    onPublished: () => undefined,
  });
  next.start();
  await timer.advance(5000);
  await write('after');
  await next.close();
  const said = held.map(decodeLogRecord);
  expect(said.filter(({ kind }) => kind === 'start')).toMatchObject([{ at: first.from }]);
  const changes = said.filter((each) => each.kind === 'changes');
  expect(changes.flatMap((each) => each.changes.map(({ key }) => key))).toEqual(['before', 'after']);
  const begins = changes.find(({ from }) => from === slots.current.from);
  const ended = changes.find((each) => each.changes.some(({ key }) => key === 'before'));
  expect(begins?.from ?? 0n).toBeGreaterThan(ended?.to ?? 0n);
  expect([slots.current.number, losses]).toEqual([2, 1]);
});
