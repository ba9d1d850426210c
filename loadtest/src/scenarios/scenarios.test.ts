/** The arithmetic of scenarios: backlog rates, growth of memory, curves of throughput. */
import { expect, it } from 'vitest';
import { measure } from '../measure.ts';
import { transferFindings } from '../measure-transfer.ts';
import { backlogFindings, roundOf } from './backlog.ts';
import { cutFindings } from './cut.ts';
import { heldFindings, inPieces } from './held.ts';
import { growthOf } from './memory.ts';
import { singleFindings } from './single.ts';
import { fewerNotes, requireHeld, throughputOf } from './sustain.ts';

it('counts a backlog from the last moment at which nothing was applied', () => {
  const readings = [
    { atMs: 1000, changes: 50 },
    { atMs: 1500, changes: 50 },
    { atMs: 2000, changes: 550 },
    { atMs: 3500, changes: 2050 },
  ];
  expect(roundOf(readings, { base: 50, healedMs: 900 })).toEqual({ perS: 1000, firstAfterMs: 600 });
  expect(() => roundOf([{ atMs: 900, changes: 99 }], { base: 50, healedMs: 900 })).toThrow(/before it could/);
});

it('holds a backlog against one-row and against large transactions of the same run', () => {
  const runs = [
    { ours: { perS: 300, firstAfterMs: 5 }, nativePerS: 100, nativeBatchedPerS: 200 },
    { ours: { perS: 100, firstAfterMs: 7 }, nativePerS: 100, nativeBatchedPerS: 400 },
  ];
  const { measures } = backlogFindings(runs, { backlogUpdates: 10, keyCount: 5 });
  expect(measures).toMatchObject([
    { name: 'apply_ratio_to_native', median: 2, min: 1, max: 3, anchor: { median: 100 } },
    { name: 'apply_ratio_to_native_batched', median: 0.875, min: 0.25, max: 1.5, anchor: { median: 300 } },
    { name: 'backlog_applied_per_s', median: 200 },
    { name: 'heal_to_first_applied_ms', median: 6 },
  ]);
});

it('holds single writes over HTTP and through the engine against raw pg of the same run', () => {
  const { measures } = singleFindings([
    { http: 100, raw: 100, engine: 300 },
    { http: 60, raw: 200, engine: 400 },
  ]);
  expect(measures).toMatchObject([
    { name: 'write_ratio_to_raw_pg', median: 0.65, anchor: { median: 150 } },
    { name: 'engine_write_ratio_to_raw_pg', median: 2.5, min: 2, max: 3, anchor: { median: 150 } },
    { name: 'http_single_per_s', median: 80 },
    { name: 'engine_single_per_s', median: 350 },
  ]);
});

it('tells what 100,000 changes of a cut take until both sides are equal', () => {
  const runs = [
    { equalMs: 30_000, writes: 600_000, held: 1, nativeMs: 15_000 },
    { equalMs: 3_000, writes: 50_000, held: 1, nativeMs: 3_000 },
  ];
  const { measures } = cutFindings(runs, { cutMs: 1000, cutPerS: 5, keyCount: 5 });
  expect(measures).toMatchObject([
    { name: 'heal_to_equal_ratio_to_native', median: 1.5 },
    { name: 'heal_to_equal_ms', median: 16_500 },
    { name: 'heal_to_equal_ms_per_100k', median: 5_500, min: 5_000, max: 6_000 },
    { name: 'cut_writes_held', median: 1 },
  ]);
});

it('holds the writes of a donor during a transfer against those before', () => {
  const { measures } = transferFindings({
    records: 10,
    perS: 50_000,
    nativePerS: 100_000,
    calmP99Ms: 4,
    busyP99Ms: 10,
  });
  expect(measures).toMatchObject([
    { name: 'transfer_ratio_to_native_copy', median: 0.5 },
    { name: 'transfer_records_per_s', median: 50_000 },
    { name: 'donor_write_p99_ratio', median: 2.5, anchor: { median: 4 } },
    { name: 'donor_write_p99_before_ms', median: 4 },
    { name: 'donor_write_p99_in_transfer_ms', median: 10 },
  ]);
});

it('holds memory with records and with a backlog against that before any load', () => {
  const idle = measure('region_rss_idle_mb', 'MiB', [90, 100, 110]);
  const { measures } = heldFindings({ idle, fewMb: 50 }, [
    { recordsMb: 120, backlogMb: 150 },
    { recordsMb: 130, backlogMb: 250 },
  ]);
  expect(measures).toMatchObject([
    { name: 'region_rss_ratio_records', median: 1.25, min: 1.2, max: 1.3, anchor: { median: 100, min: 90 } },
    { name: 'region_rss_ratio_backlog', median: 2, min: 1.5, max: 2.5, anchor: { median: 100, max: 110 } },
    { name: 'region_rss_growth_records', median: 2.5 },
    { name: 'region_rss_records_mb', median: 125 },
    { name: 'region_rss_backlog_mb', median: 200 },
  ]);
});

it('writes all in pieces, the last as large as what is left', async () => {
  const pieces: (readonly [number, number])[] = [];
  await inPieces(120_000, async (piece, done) => void pieces.push([piece, done]));
  expect(pieces).toEqual([
    [50_000, 0],
    [50_000, 50_000],
    [20_000, 100_000],
  ]);
});

it('compares the last third of memory readings with the first', () => {
  expect(growthOf([100, 100, 150, 170, 200, 200])).toBe(2);
  expect(growthOf([100])).toBe(1);
});

it('fails where no rate held, and tells of fewer runs than were asked for', () => {
  expect(() => requireHeld([])).toThrow(/fell behind at every rate/);
  expect(requireHeld([1])).toEqual([1]);
  expect(fewerNotes(5, 5)).toEqual([]);
  expect(fewerNotes(3, 5)).toEqual(['ONLY 3 OF 5 RUNS HELD A RATE.']);
});

it('turns cumulative counts into changes a second', () => {
  const samples = [
    { atMs: 1000, acknowledged: 0, applied: 0 },
    { atMs: 1500, acknowledged: 500, applied: 400 },
    { atMs: 2000, acknowledged: 1000, applied: 1000 },
  ];
  const flow = { ratePerS: 1000, startMs: 500, due: 1000, acknowledged: 1000, samples };
  const driven = { due: 1000, acknowledged: 1000, payloadBytes: null, latency: null };
  expect(throughputOf({ flow, driven, perS: 1000, linkBytes: 0 })).toEqual({
    acknowledged: [
      [0.5, 1000],
      [1, 1000],
    ],
    applied: [
      [0.5, 800],
      [1, 1200],
    ],
  });
});
