/**
 * What a region drops: where another process has taken its barriers over (P8, I6), and of records that a clock too far
 * ahead has stamped (P3).
 */
import { highestStamp } from '@isthmus/conflict';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { Barriers } from '@isthmus/replication/tombstones/barriers';
import { Purge } from '@isthmus/replication/tombstones/collecting';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { creation, deletion, write } from '../contract/tombstone-store.contract.ts';
import { epochMs, MemoryRegion, silent } from './memory-region.ts';

const id = { collection: 'products', key: 'a' };

let timer: ManualTimer;
let eu: MemoryRegion;
let barriers: Barriers;

beforeEach(async () => {
  timer = new ManualTimer();
  eu = new MemoryRegion('eu', timer);
  barriers = new Barriers({
    self: eu.self,
    store: eu.tombstones,
    standing: eu.transfers,
    records: eu.records,
    purge: new Purge(null),
    members: () => [],
    clock: { nowMs: () => epochMs + timer.monotonicMs() },
    timer,
    logger: silent,
    onCollected: () => undefined,
  });
  await eu.edit(id, (editor) => editor.set('title', 'a'));
  await eu.edit(id, (editor) => editor.delete());
});

afterEach(async () => {
  const closing = barriers.close();
  await timer.advance(1000);
  await closing;
});

/** What another process does just before the given barrier is completed here. */
function beforeItCompletes(number: number, meanwhile: (round: number) => Promise<unknown>): void {
  const complete = eu.tombstones.complete.bind(eu.tombstones);
  let isDone = false;
  vi.spyOn(eu.tombstones, 'complete').mockImplementation(async (barrier) => {
    if (barrier.number === number && !isDone) {
      isDone = true;
      await meanwhile(barrier.round);
    }
    return complete(barrier);
  });
}

/** Of each look for what to drop: through which generation, and the newest barrier that was complete then. */
function looks(): (readonly [through: number, completed: number])[] {
  const found: (readonly [number, number])[] = [];
  const dead = eu.tombstones.dead.bind(eu.tombstones);
  vi.spyOn(eu.tombstones, 'dead').mockImplementation(async (query) => {
    found.push([query.through, (await eu.tombstones.barrier()).completed]);
    return dead(query);
  });
  return found;
}

test('nothing is dropped on the word of a barrier that another process has begun anew', async () => {
  const found = looks();
  beforeItCompletes(2, () => eu.tombstones.beginRound());
  barriers.start();
  await timer.advance(20_000);
  expect(await eu.records.read(id)).toBeNull();
  expect(found[0]).toEqual([1, 2]);
  expect(found.filter(([through, completed]) => through >= completed)).toEqual([]);
});

test('what another process has completed meanwhile is collected as well', async () => {
  const found = looks();
  beforeItCompletes(2, (round) => eu.tombstones.complete({ number: 2, round, vector: [] }));
  barriers.start();
  await timer.advance(20_000);
  expect(await eu.records.read(id)).toBeNull();
  expect(found[0]).toEqual([1, 2]);
});

test('a record that a clock too far ahead has stamped stays until then, and is no floor for others before', async () => {
  const [far, other] = [
    { ...id, key: 'far' },
    { ...id, key: 'other' },
  ];
  const aheadMs = 120_000;
  await write(eu.records, far, creation, epochMs + aheadMs);
  await write(eu.records, far, deletion, epochMs + aheadMs);
  barriers.start();
  await timer.advance(aheadMs / 2);
  expect(await eu.records.read(id)).toBeNull();
  expect(await eu.records.read(far)).not.toBeNull();
  const nowMs = epochMs + timer.monotonicMs();
  await write(eu.records, other, creation, nowMs);
  expect(highestStamp(await eu.state(other))).toBe(nowMs);
  await timer.advance(aheadMs);
  expect(await eu.records.read(far)).toBeNull();
});
