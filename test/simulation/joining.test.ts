/** Worlds in which a region comes while a peer goes on under another incarnation, as random ones hardly ever are (P6, P9). */
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

/** It goes on about nineteen seconds after it was set back, as long as the region that comes is not there to be asked. */
const renewedAfter = 19.25;

test.each([
  { seed: 99, seconds: 12.5 },
  { seed: 99, seconds: 17 },
  { seed: 131, seconds: 19.5 },
  { seed: 131, seconds: 20 },
  { seed: 135, seconds: 19 },
  { seed: 135, seconds: 20.5 },
  { seed: 139, seconds: 21 },
])(
  'the first write has what a peer held that was set back, $seconds seconds after that, by seed $seed',
  async ({ seed, seconds }) => {
    const drawn = drawScenario(seed, { regions: 2, seconds: 70, isHealing: true, faults: null });
    const restore: Fault = { kind: 'restore', atMs: 4000, forMs: 3000, region: 0, other: 1, level: 0.5 };
    const joining = { atMs: restore.atMs + restore.forMs + 1000 * seconds, isCalm: true };
    const calm = { guard: { kind: 'accept' }, joining, retiring: null, isLogInside: false } as const;
    const scenario = { ...drawn, ...calm, isGuarded: true, faults: [restore] };
    const { violations, coverage } = await runScenario(scenario);
    expect(violations).toEqual([]);
    // Of a peer that is not another incarnation yet when the region comes, positions tell what it had written.
    const isRenewed = 'first write after a peer had become another incarnation' in coverage;
    expect(isRenewed).toBe(seconds > renewedAfter);
  },
  120_000,
);

test('a peer that is being opened anew as another incarnation when it is first asked is asked again', async () => {
  const drawn = drawScenario(765864, { regions: null, seconds: null, isHealing: true, faults: null });
  const faults = drawn.faults.slice(0, 1);
  const joining = { atMs: 24_498.938, isCalm: true };
  const { violations, coverage } = await runScenario({ ...drawn, faults, joining });
  expect(coverage['peer silent when a region came']).toBeGreaterThan(0);
  expect(violations).toEqual([]);
});
