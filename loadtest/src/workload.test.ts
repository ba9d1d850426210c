/** The records and the order of keys: what the figures rest on. */
import { describe, expect, it } from 'vitest';
import { keyName, Workload } from './workload.ts';

const keyCount = 500;

function draw(seed: number, count: number) {
  const workload = new Workload(seed, keyCount);
  return Array.from({ length: count }, () => workload.next());
}

describe('workload', () => {
  it('writes the same from the same seed and something else from another', () => {
    expect(draw(7, 50)).toEqual(draw(7, 50));
    expect(draw(8, 50)).not.toEqual(draw(7, 50));
  });

  it('visits every key once before any comes again', () => {
    const keys = draw(1, keyCount * 2).map(({ key }) => key);
    const every = Array.from({ length: keyCount }, (_, index) => keyName(index));
    expect(keys.slice(0, keyCount).toSorted()).toEqual(every);
    expect(keys.slice(keyCount)).toEqual(keys.slice(0, keyCount));
    expect(keys.slice(0, keyCount)).not.toEqual(every);
  });

  it('gives a key another record each time', () => {
    const workload = new Workload(3, keyCount);
    const values = Array.from({ length: keyCount * 5 }, () => workload.next());
    const ofOneKey = values.filter(({ key }) => key === keyName(0)).map(({ value }) => value.title);
    expect(new Set(ofOneKey).size).toBe(5);
  });

  it('makes records of about 240 bytes', () => {
    const workload = new Workload(1, keyCount);
    expect(workload.meanBytes).toBeGreaterThan(228);
    expect(workload.meanBytes).toBeLessThan(252);
  });
});
