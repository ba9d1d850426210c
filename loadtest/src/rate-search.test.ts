/** What counts as sustained, and that the search ends near the highest rate that is. */
import { expect, it } from 'vitest';
import { appliedPerS, type Flow, judge, searchRate } from './rate-search.ts';

const ratePerS = 1000;

/** A run of ten seconds whose lag at each half second is given. */
function flow(lagAt: (sample: number) => number, acknowledged = 10_000): Flow {
  const samples = Array.from({ length: 20 }, (_, index) => {
    const acked = (index + 1) * 500;
    return { atMs: (index + 1) * 500, acknowledged: acked, applied: acked - lagAt(index) };
  });
  return { ratePerS, startMs: 0, due: 10_000, acknowledged, samples };
}

it('holds while the lag stands still, also where it is long or breathes', () => {
  expect(judge(flow(() => 20))).toEqual({ kind: 'holds' });
  expect(judge(flow(() => 3000))).toEqual({ kind: 'holds' });
  expect(judge(flow((index) => (index % 2) * 200))).toEqual({ kind: 'holds' });
});

it('falls behind when the lag grows or writes are not acknowledged', () => {
  expect(judge(flow((index) => index * 30))).toEqual({ kind: 'falls behind', why: 'lag' });
  expect(judge(flow(() => 0, 9_700))).toEqual({ kind: 'falls behind', why: 'writes' });
});

it('falls behind when writes are acknowledged only after the run', () => {
  const late = flow(() => 0);
  const samples = late.samples.map((sample) => {
    const answered = sample.acknowledged * 0.9;
    return { ...sample, acknowledged: answered, applied: answered };
  });
  expect(judge({ ...late, samples })).toEqual({ kind: 'falls behind', why: 'writes' });
});

it('tells the rate of what was applied', () => {
  expect(appliedPerS(flow(() => 0).samples)).toBe(1000);
  expect(appliedPerS([])).toBeUndefined();
});

it.each([900, 5_000, 12_345, 40_000])(
  'finds a capacity of %d from below and from above',
  async (capacity) => {
    const tried: number[] = [];
    const found = await searchRate({ startPerS: 4_000, growth: 1.35, maxTries: 14 }, async (rate) => {
      tried.push(rate);
      return rate <= capacity;
    });
    expect(found).toBeLessThanOrEqual(capacity);
    expect(found).toBeGreaterThan(capacity * 0.9);
    expect(tried.length).toBeLessThanOrEqual(14);
  },
);

it('answers zero where nothing holds, within its tries', async () => {
  let tries = 0;
  const holds = async () => {
    tries++;
    return false;
  };
  expect(await searchRate({ startPerS: 1_000, growth: 1.5, maxTries: 5 }, holds)).toBe(0);
  expect(tries).toBe(5);
});
