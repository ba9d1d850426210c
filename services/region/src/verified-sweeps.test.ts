import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import type { SweepDigests } from '@isthmus/replication/ports/sweeps';
import { expect, test } from 'vitest';
import { VerifiedSweeps } from './verified-sweeps.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const same: SweepDigests = { own: { products: 'a' }, peer: { products: 'a' } };
const signal = new AbortController().signal;
const now: SweepDigests = { own: { products: 'b' }, peer: { products: 'c' } };

function sweeps(equal: SweepDigests | null, proof: { throughMs: number | null; diverged: boolean | null }) {
  const wanted: RegionId[] = [];
  const digests = { cleanSweepSince: () => Promise.resolve(equal), digests: () => Promise.resolve(now) };
  const row = { peer: us, ...proof, sweptAtMs: null, isWanted: false };
  const verifications = {
    all: () => Promise.resolve([row]),
    want: async (peers: readonly RegionId[]) => void wanted.push(...peers),
  };
  return {
    wanted,
    since: (ms: number, isStill = true) =>
      new VerifiedSweeps(digests, verifications).cleanSweepSince(us, { sinceMs: ms, isStill, signal }),
  };
}

test('equal digests are proof enough', async () => {
  const { since, wanted } = sweeps(same, { throughMs: null, diverged: null });
  expect([await since(100), wanted]).toEqual([same, []]);
});

test('while anybody writes digests are not even compared', async () => {
  const { since, wanted } = sweeps(same, { throughMs: null, diverged: null });
  expect([await since(100, false), wanted]).toEqual([null, [us]]);
});

test('where digests never meet, a clean sweep that began later is the proof', async () => {
  expect(await sweeps(null, { throughMs: 101, diverged: false }).since(100)).toEqual(now);
});

test('an older sweep, none, or one that found a divergence proves nothing, and another is asked for', async () => {
  for (const proof of [
    { throughMs: 100, diverged: false },
    { throughMs: null, diverged: null },
    { throughMs: 200, diverged: true },
  ]) {
    const { since, wanted } = sweeps(null, proof);
    expect([await since(100), wanted]).toEqual([null, [us]]);
  }
});
