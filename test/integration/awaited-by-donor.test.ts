/**
 * A later life that a region knows from a third one only, which itself awaits what that life's region held of the lives
 * before (P9, 0074): what nobody but the origin holds must not be told to it as settled, however it came to be known.
 */
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryTransferPeer } from '@isthmus/replication/adapters/memory/transfer-peer';
import { judge, readingOf } from '@isthmus/replication/applier/reading';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { originProgress } from '@isthmus/replication/progress/progress-publisher';
import { settledPositions } from '@isthmus/replication/progress/settled-positions';
import { Receiver } from '@isthmus/replication/transfer/receiver';
import { beforeEach, expect, it } from 'vitest';
import { epochMs, MemoryRegion } from './memory-region.ts';

const ap = parseRegionId('ap') ?? expect.fail('a region');
const second = { counter: 2, nonce: 9 };
const beat = { number: 4, lsn: 3n, atMs: epochMs, count: 2, end: 4n };

let timer: ManualTimer;
let [eu, us, asia]: readonly MemoryRegion[] = [];

beforeEach(async () => {
  timer = new ManualTimer();
  [eu, us, asia] = ['eu', 'us', 'asia'].map((name) => new MemoryRegion(name, timer));
  await timer.advance(1000);
});

function here(region: MemoryRegion | undefined): MemoryRegion {
  return region ?? expect.fail('a region');
}

/** It has read the second life of `ap` from its start, and settled what came of it. */
async function reads(region: MemoryRegion): Promise<void> {
  const row = { origin: ap, incarnation: second, applied: 9n, settled: 9n, beat, nextOffset: 3n };
  for (let partition = 0; partition < 4; partition++) await region.records.openLife({ ...row, partition });
}

async function pulls(receiver: MemoryRegion, from: MemoryRegion): Promise<void> {
  const { self, transfers: store, jobs, damaged } = receiver;
  const donor = from.self.region;
  const job = await jobs.find(await jobs.want({ donor, origin: ap, cause: 'tail', isDryRun: false }));
  if (job === null) return expect.fail('it was noted');
  const peer = new MemoryTransferPeer(() => from.donor, timer);
  const clock = { nowMs: () => epochMs + timer.monotonicMs() };
  const { signal } = new AbortController();
  const parts = { self, peer, store, jobs, clock, timer, maxDriftMs: 60_000, damaged, signal };
  const running = new Receiver(job, parts).run();
  for (let turn = 0; turn < 100; turn++) await timer.advance(100);
  expect((await running).outcome).toEqual({ kind: 'done' });
  await jobs.end(job.id, { state: 'done', detail: '' });
}

async function tells(region: MemoryRegion): Promise<number | null | undefined> {
  const rows = (await region.beats.storeHeard([])).filter(({ origin }) => origin === ap);
  return originProgress(ap, settledPositions(rows, 4), null)?.settledBeat;
}

it('has settled no beat, and awaits, however often it changes hands, and its start would not say so any more', async () => {
  await reads(here(eu));
  for (const [receiver, from] of [
    [here(us), here(eu)],
    [here(asia), here(us)],
  ] as const) {
    await pulls(receiver, from);
    expect(await tells(receiver)).toBe(null);
    expect(receiver.records.awaited).toEqual([ap]);
  }
  const [row] = await here(us).records.positions(ap);
  const start = {
    kind: 'start',
    origin: ap,
    incarnation: second,
    partition: 0,
    partitionCount: 4,
    at: 1n,
  } as const;
  expect(judge(readingOf(row ?? null), start, 0n)).toEqual({ kind: 'drop' });
});

it('counts where it comes from who was given its past, also where it was awaited before', async () => {
  await reads(here(eu));
  await pulls(here(us), here(eu));
  const job = await here(eu).jobs.want({
    donor: ap,
    origin: ap,
    cause: 'other-incarnation',
    isDryRun: false,
  });
  const rest = { vector: [], beats: [], floorMs: 0, partitionOf: () => 0, decide: () => [] };
  await here(eu).transfers.raise({
    region: here(eu).self.region,
    job,
    whole: [],
    given: [{ region: ap, incarnation: second }],
    ...rest,
  });
  for (const receiver of [here(us), here(asia)]) {
    await pulls(receiver, here(eu));
    expect(await tells(receiver)).toBe(beat.number);
    expect(receiver.records.awaited).toEqual([]);
  }
});
