/**
 * Concurrent writes to records: while all regions are cut from each other one side writes first, and the other once
 * every clock has passed the first writes by 200 milliseconds. Before the second sides write it is made sure that they
 * have seen nothing of the first. At the end the links are whole and all regions have the same digests.
 */
import { expect } from 'vitest';
import { until } from '../until.ts';
import type { RegionClient, Reply } from './region-client.ts';
import type { UsedDemo } from './use-demo.ts';
import { converged } from './verdict.ts';

export interface Place {
  readonly collection: string;
  readonly key: string;
}

export interface Side {
  readonly region: RegionClient;
  readonly write: (region: RegionClient, place: Place) => Promise<readonly Reply[]>;
}

export interface Apart {
  readonly place: Place;
  readonly first: Side;
  readonly second: Side;
}

const laterMs = 200;
const deadlineMs = 30_000;

export async function writeApart(demo: UsedDemo, writes: readonly Apart[]): Promise<void> {
  await allConverged(demo, writes);
  const before = await seenBySeconds(writes);
  await demo.setLinks('cut');
  for (const { place, first } of writes) expectAccepted(await first.write(first.region, place));
  const writtenAtMs = Math.max(...(await clocks(demo)));
  await until('all clocks have passed the first writes', deadlineMs, async () => {
    const slowestMs = Math.min(...(await clocks(demo)));
    return slowestMs >= writtenAtMs + laterMs;
  });
  expect(await seenBySeconds(writes), 'the cut holds').toEqual(before);
  for (const { place, second } of writes) expectAccepted(await second.write(second.region, place));
  await demo.setLinks('ok');
  await allConverged(demo, writes);
}

async function allConverged({ regions }: UsedDemo, writes: readonly Apart[]): Promise<void> {
  for (const collection of new Set(writes.map(({ place }) => place.collection)))
    await converged(regions, collection, deadlineMs);
}

function clocks({ regions }: UsedDemo): Promise<readonly number[]> {
  return Promise.all(regions.map((region) => region.clockMs()));
}

/** Versions of the records; `undefined` where there is none. */
function seenBySeconds(writes: readonly Apart[]): Promise<readonly unknown[]> {
  return Promise.all(
    writes.map(async ({ place: { collection, key }, second }) => {
      const { body } = await second.region.get(collection, key);
      return Object(body).version as unknown;
    }),
  );
}

function expectAccepted(replies: readonly Reply[]): void {
  const refused = replies.filter(({ status }) => status >= 300);
  expect(refused).toEqual([]);
}
