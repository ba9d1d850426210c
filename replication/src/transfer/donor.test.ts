import { expect, it } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import type { CountedBeat } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Published, TransferSnapshot } from '../ports/transfer-store.ts';
import { Donor } from './donor.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const self = { region, incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 };
const beat = (number: number, end: bigint): CountedBeat => ({
  number,
  lsn: end - 1n,
  atMs: number * 250,
  count: number,
  end,
});
const ignore = (): void => undefined;

const snapshot: TransferSnapshot = {
  standing: {
    settled: [],
    applied: [],
    ahead: [],
    whole: [],
    horizon: [],
    floorMs: 0,
    insertLsn: 95n,
    beat: { lsn: 80n, atMs: 1000 },
    beats: [],
    slot: null,
    isEmpty: false,
    refill: 'none',
    readAtMs: 1000,
  },
  ranges: async () => [],
  digest: () => expect.fail('nobody asks'),
  hashes: () => expect.fail('nobody asks'),
  states: async () => [],
  close: async () => undefined,
};

it('reads hardly more of large records than it answers with (I12)', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => ({
    collection: 'c',
    key: `k${10 + index}`,
    hash: Buffer.from(`${index}`),
  }));
  let read = 0;
  const large = {
    ...snapshot,
    hashes: async () => ({ records: ids, through: { collection: 'c', key: 'z' } }),
    states: async (wanted: readonly unknown[]) => {
      read += wanted.length;
      return wanted.map(() => Buffer.alloc(1024 * 1024));
    },
  };
  const donor = new Donor({
    self,
    store: {
      openSnapshot: async () => large,
      published: async () => ({ through: 96n, passed: beat(4, 78n) }),
    },
    timer: new ManualTimer(),
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    newName: () => 'one',
  });
  await donor.answer({ kind: 'open' });
  const range = { after: { collection: '', key: '' }, until: { collection: 'c', key: 'z' } };
  const answer = await donor.answer({ kind: 'fetch', snapshot: 'one', range, have: [] });
  expect(answer).toMatchObject({ fetched: { records: [{ key: 'k10' }], through: { key: 'k10' } } });
  expect(read).toBeLessThanOrEqual(4);
  await donor.close();
});

it('names the beat that its vector has passed once the relay has caught up, not the one from before (P7)', async () => {
  const timer = new ManualTimer();
  const readings: (Published | null)[] = [
    null,
    { through: 50n, passed: beat(1, 50n) },
    { through: 96n, passed: beat(4, 78n) },
  ];
  const asked: bigint[] = [];
  const donor = new Donor({
    self,
    store: {
      openSnapshot: async () => snapshot,
      published: async (upTo) => {
        asked.push(upTo);
        return readings.shift() ?? null;
      },
    },
    timer,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    newName: () => 'one',
  });
  const answering = donor.answer({ kind: 'open' });
  for (let turn = 0; turn < 3; turn++) await timer.advance(50);
  const answer = await answering;
  expect(answer).toMatchObject({
    kind: 'offer',
    offer: { vector: [{ lsn: 80n }], beats: [{ region, beat: beat(4, 78n) }] },
  });
  expect(asked).toEqual([80n, 80n, 80n]);
  await donor.close();
});

it('gives up a snapshot that nobody asks for anything, and keeps one that is read, so lost answers keep nobody out for long (I12)', async () => {
  const timer = new ManualTimer();
  const names = ['lost', 'read', 'next', 'late'];
  const closed: string[] = [];
  const opened = ['lost', 'read', 'next', 'late'];
  const donor = new Donor({
    self,
    store: {
      openSnapshot: async () => {
        const name = opened.shift() ?? expect.fail('a name');
        return { ...snapshot, close: async () => void closed.push(name) };
      },
      published: async () => ({ through: 96n, passed: beat(4, 78n) }),
    },
    timer,
    logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    newName: () => names.shift() ?? expect.fail('a name'),
  });
  const ranges = { kind: 'ranges', snapshot: 'read', after: { collection: '', key: '' } } as const;
  const openKind = async () => (await donor.answer({ kind: 'open' })).kind;
  expect([await openKind(), await openKind(), await openKind()]).toEqual(['offer', 'offer', 'refused']);
  await timer.advance(16_000);
  expect(await donor.answer(ranges)).toEqual({ kind: 'ranges', ranges: [] });
  await timer.advance(5000);
  expect([closed, await openKind()]).toEqual([['lost'], 'offer']);
  for (let turn = 0; turn < 2; turn++) {
    await timer.advance(14_000);
    expect(await donor.answer(ranges)).toEqual({ kind: 'ranges', ranges: [] });
  }
  expect(closed, 'read for 49 s').toEqual(['lost', 'next']);
  await timer.advance(12_000);
  expect(closed, 'open for a minute').toEqual(['lost', 'next', 'read']);
  await donor.close();
});
