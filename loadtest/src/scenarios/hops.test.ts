import { expect, test } from 'vitest';
import { bucketsOf, hopLines, quantile } from './hops.ts';

const metrics = (...counts: readonly number[]) =>
  ['0.001', '0.002', '+Inf']
    .map(
      (upTo, at) =>
        `isthmus_replication_hop_seconds_bucket{le="${upTo}",hop="decoded",origin="eu"} ${counts[at]}`,
    )
    .concat('isthmus_replication_hop_seconds_bucket{le="0.001",hop="decoded",origin="us"} 7', 'other 1')
    .join('\n');

test('buckets are those of one hop of one origin', () => {
  expect(bucketsOf(metrics(1, 2, 3), 'decoded', 'eu')).toEqual([
    [0.001, 1],
    [0.002, 2],
    [Number.POSITIVE_INFINITY, 3],
  ]);
  expect(bucketsOf(metrics(1, 2, 3), 'applied', 'eu')).toEqual([]);
});

test('a quantile lies within its bucket, and at its lower bound where that has no upper one', () => {
  const counted = bucketsOf(metrics(10, 90, 100), 'decoded', 'eu');
  expect(quantile(counted, 0.5)).toBeCloseTo(0.0015);
  expect(quantile(counted, 0.1)).toBeCloseTo(0.001);
  expect(quantile(counted, 0.99)).toBe(0.002);
  expect(quantile([], 0.5)).toBeNull();
});

test('the table tells what was counted between two readings, and says where nothing was', () => {
  const reading = (...counts: readonly number[]) =>
    new Map([['decoded', bucketsOf(metrics(...counts), 'decoded', 'eu')] as const]);
  const [head, decoded, relayed] = hopLines(reading(100, 100, 100), reading(100, 110, 110));
  expect(head).toMatch(/^hop +p50 ms +p99 ms +counted$/);
  expect(decoded).toMatch(/^decoded +1\.50 +1\.99 +10 {2}/);
  expect(relayed).toMatch(/^relayed +- +- +0 {2}/);
});
