/** Medians, ratios and goals. */
import { expect, it } from 'vitest';
import { measure, meetsGoal, ratios, spreadOf } from './measure.ts';

it('takes the middle of an odd and the mean of the middle two of an even number of runs', () => {
  expect(spreadOf([5, 1, 3])).toEqual({ median: 3, min: 1, max: 5, runs: 3 });
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4, runs: 4 });
  expect(spreadOf([9])).toEqual({ median: 9, min: 9, max: 9, runs: 1 });
  expect(() => spreadOf([])).toThrow(/no completed run/);
});

it('divides each run by its own anchor', () => {
  expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
  expect(ratios([10, 30], [5])).toEqual([2]);
  expect(ratios([10], [0])).toEqual([]);
});

it('judges by the median, in the direction of the goal', () => {
  expect(meetsGoal(measure('link_bytes_ratio', 'ratio', [0.3, 0.4, 0.9]))).toBe(true);
  expect(meetsGoal(measure('link_bytes_ratio', 'ratio', [0.41]))).toBe(false);
  expect(meetsGoal(measure('write_ratio_to_raw_pg', 'ratio', [1.2]))).toBe(true);
  expect(meetsGoal(measure('write_ratio_to_raw_pg', 'ratio', [1.19]))).toBe(false);
  expect(meetsGoal(measure('heal_to_equal_ms_per_100k', 'ms', [5_000]))).toBe(true);
  expect(meetsGoal(measure('donor_write_p99_ratio', 'ratio', [2.1]))).toBe(false);
  expect(meetsGoal(measure('transfer_records_per_s', 'records/s', [39_999]))).toBe(false);
  expect(meetsGoal(measure('http_write_p50_ms', 'ms', [1]))).toBeNull();
});
