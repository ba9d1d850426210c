/**
 * A slice of the simulation on every run of the tests: the command itself, on both cores, so that what the test shows is
 * what an operator of the command sees. The seeds are the same every time, `SEED` names others; searching on is what
 * `npm run sim` is for.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readOptions } from './campaign/options.ts';
import { reportOn, sometimes } from './campaign/report.ts';
import { ResultsFile } from './campaign/results-file.ts';
import { runScenario } from './run.ts';
import { drawScenario } from './scenario.ts';
import type { SeedResult } from './seed-result.ts';
import { shrink } from './campaign/shrink.ts';
import { hasRun, summaryOf, together } from './campaign/summary.ts';
import { readSummary, writeSummary } from './campaign/summary-file.ts';

const program = new URL('../dist/simulation/main.js', import.meta.url).pathname;
const seed = Number(process.env['SEED'] ?? 1);
const seeds = 200;
/** Of the report: how many, how fast, the medians, and how complete. */
const headLines = 5;

const nothingDone: SeedResult = {
  seed: 0,
  violations: [],
  trace: '0',
  virtualMs: 0,
  tookMs: 0,
  cpuMs: 0,
  events: 0,
  acknowledged: 0,
  overlaps: 0,
  settledMs: 0,
  coverage: {},
  isTwice: false,
};

test(`${seeds} seeds from ${seed} hold every invariant`, async () => {
  const run = promisify(execFile)(process.execPath, [program, '--seed', `${seed}`, '--seeds', `${seeds}`], {
    maxBuffer: 64 * 1024 * 1024,
  });
  const { stdout } = await run.catch((reason: { readonly stdout: string }) => reason);
  const failures = stdout.split('\n').filter((line) => /^seed .* failed|never:/.test(line));
  process.stdout.write(`${stdout.split('\n').slice(0, headLines).join('\n')}\n`);
  expect(failures).toEqual([]);
  expect(stdout).toContain(`${seeds} seeds, 0 failed`);
}, 900_000);

test('one scenario gives one trace, and another seed another', async () => {
  const run = async (from: number) =>
    (await runScenario(drawScenario(from, { regions: 2, seconds: 20, isHealing: true }))).trace;
  const first = await run(seed);
  expect(await run(seed)).toBe(first);
  expect(await run(seed + 1)).not.toBe(first);
}, 120_000);

test('a failing scenario is shrunk to what makes it fail', async () => {
  const scenario = drawScenario(4711, { regions: 3, seconds: 60, isHealing: true });
  const guilty = [scenario.faults[3], scenario.operations[20], scenario.operations[300]];
  const small = await shrink(
    scenario,
    async ({ faults, operations }) =>
      guilty.every((part) => [...faults, ...operations].some((left) => left === part)),
    1000,
  );
  expect([...small.faults, ...small.operations]).toEqual(guilty);
});

test('the command line is read, and what is wrong with it is said', () => {
  expect(readOptions(['--seed', '7', '--seeds', '3', '--regions', '4', '--trace'], 1)).toMatchObject({
    seed: 7,
    seeds: 3,
    regions: 4,
    seconds: null,
    trace: true,
  });
  expect(readOptions(['--regions', '9'], 1)).toBe('--regions is 9: take an integer from 2 to 5');
  expect(readOptions(['--nonsense'], 1)).toBe('unknown option --nonsense');
});

test('a campaign goes on from the results of the same engine alone', () => {
  const path = join(mkdtempSync(join(tmpdir(), 'isthmus-results-')), 'results.jsonl');
  const result = { ...nothingDone, seed: 7 };
  new ResultsFile(path, 'one').add(result);
  appendFileSync(path, '{"seed": 8, "cut off');
  expect(new ResultsFile(path, 'one').read()).toMatchObject([{ seed: 7 }]);
  expect(new ResultsFile(path, 'another').read()).toEqual([]);
});

describe('what campaigns of one engine came to', () => {
  const results = [3, 1, 2, 9, 4, 7].map((number) => ({
    ...nothingDone,
    seed: number,
    virtualMs: number * 1000,
    acknowledged: number * number,
    overlaps: number % 3,
    cpuMs: 125,
    isTwice: number === 9,
    coverage: { 'conflict resolved': number, [`only ${number}`]: 1 },
  }));

  test('adds up, whatever is summed up with what', () => {
    const whole = summaryOf(results);
    expect(whole).toMatchObject({
      seeds: 6,
      twice: 1,
      virtualSeconds: 26,
      medians: { virtualSeconds: 4, acknowledged: 16 },
      rate: 47,
      ranges: [
        [1, 4],
        [7, 7],
        [9, 9],
      ],
    });
    for (let cut = 0; cut <= results.length; cut++)
      expect(together(summaryOf(results.slice(0, cut)), summaryOf(results.slice(cut)))).toEqual(whole);
    expect([1, 4, 5, 7, 8].filter((each) => hasRun(whole, each))).toEqual([1, 4, 7]);
  });

  test('is kept in a file that says what it is', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'isthmus-summary-')), 'summary.json');
    expect(readSummary(path)).toBeNull();
    const kept = { commit: 'one', machine: 'two cores', ...summaryOf(results) };
    writeSummary(path, kept);
    expect(readSummary(path)).toEqual(kept);
    appendFileSync(path, 'x');
    expect(() => readSummary(path)).toThrow(`${path} is no summary of a campaign: `);
    writeFileSync(path, '{"commit": "one"}');
    expect(() => readSummary(path)).toThrow('machine: ');
  });
});

test('a campaign in which something never happened, or too little did, is not passed', () => {
  const many = Array.from({ length: 200 }, (_, index) => ({ ...nothingDone, seed: index }));
  const busy = { virtualMs: 60_000, acknowledged: 300, overlaps: 2 };
  const covered = Object.fromEntries(sometimes.map((point) => [point, 1]));
  const passes = (change: Partial<SeedResult>): boolean => {
    const all = summaryOf(many.map((result) => ({ ...result, ...busy, coverage: covered, ...change })));
    return reportOn(all, { fresh: all, tookMs: 1 }).isPassed;
  };
  expect(passes({})).toBe(true);
  expect(passes({ coverage: {} })).toBe(false);
  expect(passes({ acknowledged: 299 })).toBe(false);
  expect(passes({ violations: [{ checker: 'gaps', key: 'a', detail: 'b' }] })).toBe(false);
});
