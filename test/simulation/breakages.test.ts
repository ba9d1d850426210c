/** Worlds in which nothing but one link is broken, as random ones hardly ever are: one incident on each side, truly counted. */
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

test.each([
  ['cut once', 12_000, 'cut'],
  ['cut and mended again and again', 20_000, 'flap'],
] as const)(
  'a link that is %s has at most one incident on each side, and its counts are true (P7)',
  async (_, forMs, kind) => {
    const drawn = drawScenario(1, { regions: 2, seconds: 70, isHealing: true });
    const fault: Fault = { kind, atMs: 22_000, forMs, region: 0, other: 1, level: 0.5 };
    const calm = { guard: { kind: 'accept' }, joining: null, retiring: null, isLogInside: false } as const;
    const { violations, coverage } = await runScenario({ ...drawn, ...calm, faults: [fault] });
    expect(violations).toEqual([]);
    expect(coverage['breakage judged']).toBe(2);
  },
  120_000,
);
