/** Whom a region listens to when peers tell it whom they have closed (P8). */
import { expect, test } from 'vitest';
import { MemoryDatabase } from '../adapters/memory/database.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { MemoryRetirementStore } from '../adapters/memory/retirement-store.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import { Agreeing } from './agreeing.ts';

const region = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [ap, eu, us] = [region('ap'), region('eu'), region('us')];
const silent: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

/** What `ap` has closed once it was told. */
async function closedOf(
  peers: readonly RegionId[],
  ...told: ReadonlyMap<RegionId, readonly RegionId[]>[]
): Promise<readonly RegionId[]> {
  const database = new MemoryDatabase({ nowMs: () => 0 });
  const store = new MemoryRetirementStore(database, new MemoryRecordStore(database));
  const witness = { wordOf: () => Promise.resolve(null) };
  const agreeing = new Agreeing({ region: ap, peers, store, witness, logger: silent });
  for (const each of told) await agreeing.hear(each);
  return (await store.all()).map((retired) => retired.region);
}

test('what a peer has closed is closed here as well, but never this region itself', async () => {
  expect(await closedOf([eu, us], new Map([[eu, [us, ap]]]))).toEqual([us]);
});

test('of two that have closed each other one goes, and everywhere the same', async () => {
  const both = new Map([
    [eu, [us]],
    [us, [eu]],
  ]);
  expect(await closedOf([eu, us], both)).toEqual([us]);
  expect(await closedOf([us, eu], both)).toEqual([us]);
});

test('a peer that is closed is not listened to any more', async () => {
  expect(await closedOf([eu, us], new Map([[us, [eu]]]), new Map([[eu, [us]]]))).toEqual([eu]);
});
