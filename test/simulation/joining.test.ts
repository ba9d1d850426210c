/** Worlds in which a region comes while a peer goes on under another incarnation, as random ones hardly ever are (P6, P9). */
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

/** It goes on about seventeen seconds after it was set back, and took its first write after five, once it had waited for who comes late. */
test.each([15, 17.5, 18.25, 19, 19.5, 20])(
  'the first write has what a peer held that was set back, %s seconds after that',
  async (seconds) => {
    const drawn = drawScenario(99 + 2 * seconds - 13, {
      regions: 2,
      seconds: 70,
      isHealing: true,
      faults: null,
    });
    const restore: Fault = { kind: 'restore', atMs: 9000, forMs: 3000, region: 0, other: 1, level: 0.5 };
    const joining = { atMs: restore.atMs + restore.forMs + 1000 * seconds, isCalm: true };
    const calm = { guard: { kind: 'accept' }, joining, retiring: null, isLogInside: false } as const;
    const { violations } = await runScenario({ ...drawn, ...calm, isGuarded: true, faults: [restore] });
    expect(violations).toEqual([]);
  },
  120_000,
);

test('a peer that is being opened anew as another incarnation when it is first asked is asked again', async () => {
  const drawn = drawScenario(765864, { regions: null, seconds: null, isHealing: true, faults: null });
  const faults = drawn.faults.slice(0, 1);
  const { violations, coverage } = await runScenario({ ...drawn, faults });
  expect(coverage['peer silent when a region came']).toBeGreaterThan(0);
  expect(violations).toEqual([]);
});
