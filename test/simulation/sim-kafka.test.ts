/** What a simulated log owes to the real one that it stands for, where a campaign would only rarely notice. */
import { ReplicationError } from '@isthmus/replication/errors';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { Random } from './random.ts';
import { RegionClock } from './region-clock.ts';
import { Scheduler } from './scheduler.ts';
import { SimChangeSink } from './sim-kafka.ts';
import { SimProcess } from './sim-process.ts';
import { SimRegion } from './sim-region.ts';
import { SimSeals } from './sim-seals.ts';
import { Trace } from './trace.ts';

const region = parseRegionId('us') ?? expect.fail('us is a region');

function ground(isLogInside: boolean) {
  const scheduler = new Scheduler();
  const nowMs = (): number => scheduler.nowMs;
  const world = { scheduler, trace: new Trace(nowMs, null), failpoint: () => undefined };
  const identity = { region, incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 };
  const of = {
    clock: new RegionClock(nowMs, 0, 0),
    random: new Random(1),
    seals: new SimSeals([]),
    isLogInside,
  };
  return { scheduler, process: new SimProcess('us#1', world), region: new SimRegion(identity, [], of) };
}

test.each([
  ['lies in the database takes nothing before that is proven', true, 0],
  ['is a server of its own takes what it is given', false, 1],
] as const)('a log that %s (P1)', async (_, isLogInside, taken) => {
  const { scheduler, process, region: place } = ground(isLogInside);
  const sink = new SimChangeSink(place, process, place.open());
  const done = sink.prepare(1);
  await scheduler.run(100, () => undefined);
  await done;
  // A server that was started anew, and the publish that was under way: it is tried again.
  place.database.crash();
  const failure = sink.publish([{ partition: 0, bytes: new Uint8Array(1) }]).then(
    () => null,
    (reason: unknown) => reason,
  );
  await scheduler.run(200, () => undefined);
  const refused = await failure;
  expect(refused === null).toBe(taken === 1);
  if (refused !== null)
    expect(refused instanceof ReplicationError && [refused.code, refused.retriable]).toEqual([
      'log-unavailable',
      true,
    ]);
  expect(place.log.partitions('changes')?.[0]?.end).toBe(BigInt(taken));
});
