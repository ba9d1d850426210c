/**
 * A world in which a region's clock is set back between the last beat of one process and the first of the next, while its
 * peer has settled no later one: what the first writes meanwhile lies too far ahead for the peer.
 */
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

test('an RPO stays known where a process takes over that stood by when the clock was set back (P7)', async () => {
  const drawn = drawScenario(1, { regions: 2, seconds: 60, isHealing: true, faults: null });
  const faults: readonly Fault[] = [
    { kind: 'clock-far-ahead', atMs: 20_000, forMs: 15_000, region: 1, other: 0, level: 0.9 },
    { kind: 'kill', atMs: 34_950, forMs: 20_000, region: 1, other: 0, level: 0.2 },
  ];
  const calm = { guard: { kind: 'accept' }, joining: null, retiring: null, isLogInside: false } as const;
  const { violations, coverage } = await runScenario({
    ...drawn,
    ...calm,
    processes: 2,
    isGuarded: true,
    faults,
  });
  expect(coverage['process took over']).toBe(3);
  expect(violations).toEqual([]);
}, 120_000);
