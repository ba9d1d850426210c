/** Listening to the own log keeps up with it (P1): what was said long ago is never taken for something said now. */
import { expect, test } from 'vitest';
import { BatchQueue } from '../adapters/batch-queue.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { MemoryBeatStore } from '../adapters/memory/beat-store.ts';
import { MemoryDatabase } from '../adapters/memory/database.ts';
import { MemoryIdentityRow } from '../adapters/memory/identity-row.ts';
import { MemoryIdentityStore } from '../adapters/memory/identity-store.ts';
import { MemoryIncarnationStore } from '../adapters/memory/incarnation-store.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { MemoryRefillStore } from '../adapters/memory/refill-store.ts';
import { MemorySlotKeeper } from '../adapters/memory/slot-keeper.ts';
import { MemoryTombstoneStore } from '../adapters/memory/tombstone-store.ts';
import { MemoryTransferJobs } from '../adapters/memory/transfer-jobs.ts';
import { encodeLogRecord } from '../log/log-record.ts';
import type { Beat } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import { OwnLogTail } from './own-log-tail.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const self = { region, incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 };
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const beatMs = 250;

/** A region that writes its beats into its table and its log, and the tail that hears them. */
async function listening() {
  const timer = new ManualTimer();
  const database = new MemoryDatabase({ nowMs: () => timer.monotonicMs() });
  const records = new MemoryRecordStore(database);
  const beats = new MemoryBeatStore(database, records, []);
  const identity = new MemoryIdentityRow(database, self.incarnation);
  const hold = (await beats.tryHold()) ?? expect.fail('nobody holds the beats');
  const queue = new BatchQueue(1024 * 1024);
  const foreign: string[] = [];
  const subscription = {
    connected: true,
    next: () => queue.take(),
    rewind: async () => 0n,
    close: async () => queue.close(),
  };
  const log = { tail: () => subscription, subscribe: () => subscription, claims: () => subscription };
  const store = new MemoryIdentityStore({
    database,
    beats,
    identity,
    records,
    tombstones: new MemoryTombstoneStore({ database, records, horizon: database.table('horizon') }),
    slots: new MemorySlotKeeper(database),
    incarnations: new MemoryIncarnationStore(
      database,
      records,
      new MemoryRefillStore({ database, identity, records }),
    ),
    jobs: new MemoryTransferJobs(database),
    emptying: { emptyIfWanted: () => false },
  });
  /** From this number on the table does not show them yet. */
  const hidden = { from: Number.POSITIVE_INFINITY };
  const tail = new OwnLogTail({
    self,
    past: {
      standing: store.standing,
      beats: async (from, to) => (await store.beats(from, to)).filter(({ number }) => number < hidden.from),
      newestBeat: async () => {
        const { beat: newest, hasPublished } = await store.newestBeat();
        const number = Math.min(newest?.number ?? 0, hidden.from - 1);
        return { beat: (await store.beats(number, number))[0] ?? null, hasPublished };
      },
    },
    log: { ...log, spans: async () => [], newestProgress: async () => null },
    timer,
    logger: silent,
    onForeign: async (reason) => void foreign.push(reason),
  });
  tail.start();
  const publish = (beat: Beat): void =>
    queue.push({ partition: 0, records: [{ offset: 0n, bytes: bytesOf(beat) }] });
  const beat = async (): Promise<Beat> => {
    await hold.beat();
    return beats.newest ?? expect.fail('a beat was written');
  };
  return { timer, tail, foreign, publish, beat, hidden, subscription };
}

function bytesOf(beat: Beat): Uint8Array {
  const { lsn } = beat;
  const counted = { ...beat, end: lsn + 1n, count: 0 };
  const { incarnation } = self;
  const head = { kind: 'changes', origin: region, incarnation, partition: 0 } as const;
  return encodeLogRecord({ ...head, from: lsn, to: lsn + 1n, beats: [counted], changes: [] });
}

test('a region that has been silent for a while is alone, however long it spoke before', async () => {
  const { timer, tail, foreign, publish, beat } = await listening();
  for (let count = 0; count < 400; count++) {
    publish(await beat());
    await timer.advance(beatMs);
  }
  const isAlone = tail.isAlone(10_000);
  await timer.advance(10_000);
  expect(await isAlone).toBe(true);
  expect(foreign).toEqual([]);
  await tail.close();
});

test('a beat that the table lacks is noticed within seconds, however long the region spoke before', async () => {
  const { timer, tail, foreign, publish, beat } = await listening();
  for (let count = 0; count < 400; count++) {
    publish(await beat());
    await timer.advance(beatMs);
  }
  publish({ number: 500, lsn: 1n, atMs: 0 });
  for (let count = 0; count < 24; count++) {
    publish(await beat());
    await timer.advance(beatMs);
  }
  expect(foreign).not.toEqual([]);
  await tail.close();
});

test('a beat that the log holds a moment before the table shows it is our own', async () => {
  const { timer, tail, foreign, publish, beat, hidden } = await listening();
  for (let count = 0; count < 60; count++) {
    const written = await beat();
    publish(written);
    if (count === 20) hidden.from = written.number;
    if (count === 26) hidden.from = Number.POSITIVE_INFINITY;
    await timer.advance(beatMs);
  }
  expect(foreign).toEqual([]);
  await tail.close();
});

/** Whether it is alone by what is heard so many milliseconds after it began to listen, and how long it listened. */
async function listened(heardMs: readonly number[]): Promise<readonly [boolean, number]> {
  const { timer, tail, publish, beat } = await listening();
  await timer.advance(5000);
  const startedMs = timer.monotonicMs();
  const answered = tail
    .isAlone(10_000)
    .then((isAlone): readonly [boolean, number] => [isAlone, timer.monotonicMs() - startedMs]);
  for (const atMs of heardMs) {
    await timer.advance(startedMs + atMs - timer.monotonicMs());
    publish(await beat());
  }
  await timer.advance(30_000);
  await tail.close();
  return answered;
}

test('the last word of an own relay does not make it wait for longer than ten silent seconds (P9)', async () => {
  expect(await listened([])).toEqual([true, 10_000]);
  expect(await listened([250])).toEqual([true, 10_250]);
  expect(await listened([250, 500, 2750])).toEqual([true, 12_750]);
});

test('whoever is heard after that is somebody else, whatever silence there was before or is afterwards (P9)', async () => {
  const alive = Array.from({ length: 60 }, (_, count) => (count + 1) * beatMs);
  expect((await listened(alive))[0]).toBe(false);
  expect((await listened([5000]))[0]).toBe(false);
  expect((await listened([250, 9000]))[0]).toBe(false);
  expect((await listened([250, 10_125]))[0]).toBe(false);
  expect((await listened([2750, 12_500]))[0]).toBe(false);
});

test('the silence of a log that went away meanwhile says nothing (P9)', async () => {
  const { timer, tail, subscription } = await listening();
  await timer.advance(5000);
  const asked = expect(tail.isAlone(10_000)).rejects.toMatchObject({ code: 'log-unavailable' });
  await timer.advance(9000);
  subscription.connected = false;
  await timer.advance(2000);
  await asked;
  await tail.close();
});

test('who stood still has not listened, and begins anew: another that lives is heard (P9)', async () => {
  const { timer, tail, publish, beat } = await listening();
  const asked = tail.isAlone(10_000);
  await timer.advance(4000);
  timer.pause(30_000);
  // Timers that are due come before what was said meanwhile.
  await timer.advance(0);
  for (let count = 0; count < 60; count++) {
    publish(await beat());
    await timer.advance(beatMs);
  }
  expect(await asked).toBe(false);
  await tail.close();
});

test('the last word of an own relay that is heard only after a stand is not somebody else (P9)', async () => {
  for (const stoodMs of [8000, 30_000]) {
    const { timer, tail, publish, beat } = await listening();
    const asked = tail.isAlone(10_000);
    await timer.advance(500);
    timer.pause(stoodMs);
    publish(await beat());
    await timer.advance(15_000);
    expect(await asked).toBe(true);
    await tail.close();
  }
});
