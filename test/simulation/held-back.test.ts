/** A world that is held back at its end by what happened to it, though every part of it does as it should. */
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

test('a region that waits for time to catch up with what it was filled with tells no progress, and that is no fault', async () => {
  const drawn = drawScenario(1, { regions: 2, seconds: 60, isHealing: true, faults: null });
  const faults: readonly Fault[] = [
    { kind: 'refill', atMs: 7000, forMs: 20_000, region: 1, other: 0, level: 0.5 },
    { kind: 'cut', atMs: 22_000, forMs: 23_000, region: 0, other: 1, level: 0.5 },
    { kind: 'clock-far-ahead', atMs: 25_000, forMs: 15_000, region: 0, other: 1, level: 0.9 },
  ];
  // What is written after that clock was set right would be put aside one by one, where a record has a later stamp.
  const operations = drawn.operations.filter(({ atMs }) => atMs < 40_000);
  const calm = { guard: { kind: 'accept' }, joining: null, retiring: null, isLogInside: false } as const;
  const { violations, coverage } = await runScenario({
    ...drawn,
    ...calm,
    isGuarded: true,
    operations,
    faults,
  });
  expect(coverage['transfer: refill']).toBe(1);
  expect(violations).toEqual([]);
  expect(coverage['quarantine']).toBeGreaterThan(0);
}, 120_000);
