import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import type { SweepDigests } from '@isthmus/replication/ports/sweeps';
import type { Verification } from '@isthmus/replication/ports/verification';
import { expect, test } from 'vitest';
import { VerifiedSweeps } from './verified-sweeps.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const same: SweepDigests = { own: { products: 'a' }, peer: { products: 'a' } };
const signal = new AbortController().signal;
const now: SweepDigests = { own: { products: 'b' }, peer: { products: 'c' } };
const unswept = {
  peer: us,
  throughMs: null,
  cleanSweep: null,
  diverged: null,
  sweptAtMs: null,
  isWanted: false,
} as const;

/** The seventh sweep is the next that begins. */
function sweeps(equal: SweepDigests | null) {
  const wanted: RegionId[] = [];
  const table = { row: unswept as Verification, next: 7 };
  const digests = { cleanSweepSince: () => Promise.resolve(equal), digests: () => Promise.resolve(now) };
  const verifications = {
    all: () => Promise.resolve([table.row]),
    want: async (peers: readonly RegionId[]) => {
      wanted.push(...peers);
      return new Map(peers.map((peer) => [peer, table.next]));
    },
  };
  const restarted = () => new VerifiedSweeps(digests, verifications);
  let process = restarted();
  return {
    wanted,
    table,
    restart: () => {
      process = restarted();
    },
    since: (since: string, isStill = true) =>
      process.cleanSweepSince(us, { since, isStill, mayCompare: true, signal }),
    swept: (cleanSweep: number | null, throughMs = 1000) => {
      table.row = { ...unswept, throughMs, cleanSweep, diverged: cleanSweep === null };
      table.next = Math.max(table.next, (cleanSweep ?? 0) + 1);
    },
  };
}

test('equal digests are proof enough', async () => {
  const { since, wanted } = sweeps(same);
  expect([await since('heal'), wanted]).toEqual([same, []]);
});

test('while anybody writes digests are not even compared', async () => {
  const { since, wanted } = sweeps(same);
  expect([await since('heal', false), wanted]).toEqual([null, [us]]);
});

test('where digests never meet, a clean sweep that began later is the proof', async () => {
  const { since, swept } = sweeps(null);
  expect(await since('heal')).toBeNull();
  swept(7);
  expect(await since('heal')).toEqual(now);
});

test('an older clean sweep proves nothing, however much later its clock was (0068)', async () => {
  const { since, swept, wanted } = sweeps(null);
  expect(await since('heal')).toBeNull();
  swept(6, Number.MAX_SAFE_INTEGER);
  expect(await since('heal')).toBeNull();
  expect(wanted).toEqual([us, us]);
  swept(7, 1);
  expect(await since('heal')).toEqual(now);
});

test('no sweep, one without a number, or one that found a divergence proves nothing, and another is asked for', async () => {
  for (const row of [
    unswept,
    { ...unswept, throughMs: 9000, diverged: false },
    { ...unswept, throughMs: 9000, diverged: true },
    // A version that knows no numbers swept last.
    { ...unswept, throughMs: 9000, cleanSweep: 7, diverged: true },
  ]) {
    const { since, table, wanted } = sweeps(null);
    expect(await since('heal')).toBeNull();
    table.row = row;
    expect([await since('heal'), wanted]).toEqual([null, [us, us]]);
  }
});

test('another moment, and another process, waits for a sweep of its own', async () => {
  const { since, swept, restart } = sweeps(null);
  expect(await since('heal')).toBeNull();
  swept(7);
  expect(await since('next heal')).toBeNull();
  swept(8);
  expect(await since('next heal')).toEqual(now);
  restart();
  expect(await since('next heal')).toBeNull();
  swept(9);
  expect(await since('next heal')).toEqual(now);
});
