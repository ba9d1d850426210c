/** Worlds of which it is sure that they come to what random ones come to now and then: causes of a transfer that nothing tells. */
import { expect, test } from 'vitest';
import { drawPastOfThird } from './rare-faults.ts';
import { Random } from './random.ts';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

const calm = { guard: { kind: 'accept' }, joining: null, retiring: null, isLogInside: false } as const;

test('a record that a database has lost is found by a sweep and fetched, though no position says so (P6)', async () => {
  const drawn = drawScenario(1, { regions: 2, seconds: 60, isHealing: true, faults: null });
  const fault: Fault = { kind: 'lose-row', atMs: 30_000, forMs: 1000, region: 0, other: 1, level: 0.5 };
  const { violations, coverage } = await runScenario({ ...drawn, ...calm, faults: [fault] });
  expect(violations).toEqual([]);
  expect(coverage).toMatchObject({ 'row lost': 1, 'transfer: sweep': 1 });
}, 120_000);

test('a life that a region is given by a peer that awaits its past is awaited there as well (P9)', async () => {
  const extent = { regions: 3, durationMs: 60_000 };
  const drawn = drawScenario(1, { regions: 3, seconds: 60, isHealing: true, faults: null });
  const tries = Array.from({ length: 100 }, (_, seed) => drawPastOfThird(new Random(seed), [], extent));
  const faults = tries.find(({ length }) => length > 0) ?? [];
  const { violations, coverage } = await runScenario({ ...drawn, ...calm, isGuarded: true, faults });
  expect(violations).toEqual([]);
  expect(coverage['past awaited: start']).toBeGreaterThan(0);
  expect(coverage['past awaited: transfer']).toBeGreaterThan(0);
}, 120_000);

test('a retirement that went with the only database that knew of it is commanded again (P8)', async () => {
  const drawn = drawScenario(1, { regions: 2, seconds: 60, isHealing: true, faults: null });
  const shared = { region: 1, other: 0, level: 0.5 };
  const faults: readonly Fault[] = [
    { kind: 'restore', atMs: 10_000, forMs: 18_000, ...shared },
    { kind: 'destroy-with-log', atMs: 18_000, forMs: 500, ...shared, region: 0, other: 1 },
  ];
  const retiring = { afterMs: 3000 };
  const { violations, coverage } = await runScenario({
    ...drawn,
    ...calm,
    retiring,
    isGuarded: true,
    faults,
  });
  expect(violations).toEqual([]);
  expect(coverage['retired again']).toBe(1);
});
