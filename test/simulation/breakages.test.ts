/**
 * Worlds in which nothing but one link is broken, as few random ones are: it is called by its name, and there is one incident
 * on each side, truly counted and over in the end.
 */
import { expect, test } from 'vitest';
import { runScenario } from './run.ts';
import { drawScenario, type Fault } from './scenario.ts';

const calm = { guard: { kind: 'accept' }, joining: null, retiring: null, isLogInside: false } as const;

test.each([
  ['cut once', 12_000, 'cut'],
  ['cut and mended again and again', 20_000, 'flap'],
] as const)(
  'a link that is %s has at most one incident on each side, and its counts are true (P7)',
  async (_, forMs, kind) => {
    const drawn = drawScenario(1, { regions: 2, seconds: 70, isHealing: true, faults: null });
    const fault: Fault = { kind, atMs: 22_000, forMs, region: 0, other: 1, level: 0.5 };
    const { violations, coverage } = await runScenario({ ...drawn, ...calm, faults: [fault] });
    expect(violations).toEqual([]);
    expect(coverage['breakage judged']).toBe(2);
  },
  120_000,
);

test.each([
  ['cut', { 'named: partitioned': 2, 'incident due': 2 }],
  ['cut-one-way', { 'named: one-way-in': 1, 'named: one-way-out': 1 }],
] as const)(
  'a link that is broken for long (%s) is named by both sides, and told (P7)',
  async (kind, seen) => {
    const drawn = drawScenario(1, { regions: 2, seconds: 70, isHealing: true, faults: null });
    const fault: Fault = { kind, atMs: 22_000, forMs: 18_000, region: 0, other: 1, level: 0.5 };
    const { violations, coverage } = await runScenario({ ...drawn, ...calm, faults: [fault] });
    expect(violations).toEqual([]);
    expect(coverage).toMatchObject(seen);
  },
  120_000,
);
