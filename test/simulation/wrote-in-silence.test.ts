/**
 * A world in which a region that lost the end of its past writes on before it has learnt that again, because its peer is
 * silent (0046), while its clock is set back: what it wrote in its earlier life comes later and has the later stamp.
 */
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import type { Fault, PlannedOperation, Scenario } from './scenario.ts';

const us = { region: 1, other: 0 };
const faults: readonly Fault[] = [
  { ...us, kind: 'restore', atMs: 16_041, forMs: 7254, level: 0.128 },
  { kind: 'postgres-freeze', atMs: 30_717, forMs: 7538, region: 0, other: 1, level: 0.244 },
  { ...us, kind: 'clock-jump', atMs: 33_297, forMs: 8616, level: 0.356 },
  { ...us, kind: 'stop', atMs: 38_088, forMs: 9782, level: 0.302 },
  { ...us, kind: 'clock-jump', atMs: 40_865, forMs: 1037, level: 0.02 },
  { ...us, kind: 'mute', atMs: 43_667, forMs: 7796, level: 0.506 },
  { ...us, kind: 'postgres-freeze', atMs: 45_405, forMs: 6500, level: 0.67 },
  { ...us, kind: 'clock-jump', atMs: 47_565, forMs: 11_026, level: 0.273 },
];
const operations: readonly PlannedOperation[] = [
  { kind: 'set', atMs: 20_824, region: 1, client: 0, record: 8, amount: 79_617 },
  { kind: 'insert', atMs: 48_571, region: 1, client: 0, record: 14, amount: 49_775 },
  { kind: 'set', atMs: 48_678, region: 1, client: 2, record: 8, amount: 548_615 },
];
const scenario: Scenario = {
  seed: 1_305_013,
  regions: 2,
  partitions: 2,
  processes: 1,
  durationMs: 58_592,
  linkLatencyMs: 70.3,
  clocks: [
    { offsetMs: -3116, driftRate: 2.5e-5 },
    { offsetMs: -442, driftRate: -4.4e-5 },
  ],
  guard: { kind: 'accept' },
  operations,
  faults,
  joining: null,
  retiring: null,
  isHealing: true,
  isLogInside: true,
  isGuarded: true,
};

test('what a region had written before it lost it may win over what it writes before it has learnt that again', async () => {
  const { violations, coverage } = await runScenario(scenario);
  expect(coverage['writes opened in silence']).toBe(1);
  expect(violations).toEqual([]);
}, 120_000);
