/** The files by which a campaign of the simulator goes on, and what it came to. */
import { execFile } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../temporary-folder.ts';
import type { ScenarioOptions } from '../scenario.ts';
import type { SeedResult } from '../seed-result.ts';
import { reportOn, sometimes } from './report.ts';
import { ResultsFile } from './results-file.ts';
import { RunningSummary } from './running-summary.ts';
import { hasRun, summaryOf, together } from './summary.ts';
import { isContinued, readSummary, writeSummary } from './summary-file.ts';

const program = new URL('../../dist/simulation/main.js', import.meta.url).pathname;
const usual = { regions: null, seconds: null, isHealing: true, faults: null };
const unhealed = { regions: 4, seconds: null, isHealing: false, faults: null };

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

function freshPath(): string {
  return join(temporaryFolder(), 'results.jsonl');
}

test('a campaign goes on from the results of the same engine alone', () => {
  const path = freshPath();
  const one = { commit: 'one', options: usual };
  new ResultsFile(path, one).add({ ...nothingDone, seed: 7 });
  appendFileSync(path, '{"seed": 8, "cut off');
  expect(new ResultsFile(path, one).read()).toMatchObject([{ seed: 7 }]);
  expect(new ResultsFile(path, { ...one, commit: 'another' }).read()).toEqual([]);
  new ResultsFile(path, one).add({ ...nothingDone, seed: 8 });
  expect(new ResultsFile(path, one).read()).toMatchObject([{ seed: 7 }, { seed: 8 }]);
});

test('results of an engine that was changed since its commit are not gone on from', () => {
  const file = new ResultsFile(freshPath(), { commit: 'one-dirty', options: usual });
  file.add(nothingDone);
  expect(file.read()).toEqual([]);
});

test('seeds that were drawn by other options are refused, with the line that tells of them', () => {
  const path = freshPath();
  new ResultsFile(path, { commit: 'one', options: usual }).add(nothingDone);
  new ResultsFile(path, { commit: 'one', options: unhealed }).add(nothingDone);
  expect(() => new ResultsFile(path, { commit: 'one', options: usual }).read()).toThrow(
    `${path}, line 2: of worlds drawn by --regions 4 --unhealed, and these are drawn by no options: name another file`,
  );
  expect(new ResultsFile(path, { commit: 'two', options: usual }).read()).toEqual([]);
});

test('a foreign line ends the command with what is wrong, before a seed runs', async () => {
  const path = freshPath();
  writeFileSync(path, '{"seed": 8}\n');
  const { code, stderr } = await new Promise<{ code: unknown; stderr: string }>((resolve) => {
    execFile(process.execPath, [program, '--results', path, '--seeds', '1'], (reason, _, said) =>
      resolve({ code: reason?.code, stderr: said }),
    );
  });
  expect(code).toBe(2);
  expect(stderr).toContain(`${path}, line 1: commit: `);
  expect(stderr).not.toContain('at ');
  expect(readFileSync(path, 'utf8')).toBe('{"seed": 8}\n');
});

test('results by named faults are not mixed with others, and those from before there was the choice are read', () => {
  const path = freshPath();
  const pressed: ScenarioOptions = { ...usual, faults: ['cut', 'restore'] };
  const file = new ResultsFile(path, { commit: 'one', options: pressed });
  file.add({ ...nothingDone, seed: 7 });
  expect(file.read()).toMatchObject([{ seed: 7 }]);
  expect(() => new ResultsFile(path, { commit: 'one', options: usual }).read()).toThrow(
    'of worlds drawn by --faults cut,restore, and these are drawn by no options',
  );
  const before = freshPath();
  new ResultsFile(before, { commit: 'one', options: usual }).add({ ...nothingDone, seed: 8 });
  writeFileSync(before, readFileSync(before, 'utf8').replace(',"faults":null', ''));
  expect(new ResultsFile(before, { commit: 'one', options: usual }).read()).toMatchObject([{ seed: 8 }]);
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

  test('is the same where it is added up seed by seed', () => {
    const many = Array.from({ length: 250 }, (_, number) => ({
      ...nothingDone,
      seed: number,
      virtualMs: 300,
    }));
    const running = new RunningSummary(summaryOf(many.slice(0, 10)));
    for (const result of many.slice(10)) running.add(result);
    expect(running.seeds).toBe(250);
    expect({ ...running.summary, virtualSeconds: 75, spent: null }).toEqual({
      ...summaryOf(many),
      virtualSeconds: 75,
      spent: null,
    });
    expect(running.summary.virtualSeconds).toBeCloseTo(75);
  });

  test('is kept in a file that says what it is', () => {
    const path = join(temporaryFolder(), 'summary.json');
    expect(readSummary(path)).toBeNull();
    const kept = { commit: 'one', options: usual, machine: 'two cores', ...summaryOf(results) };
    writeSummary(path, kept);
    expect(readSummary(path)).toEqual(kept);
    appendFileSync(path, 'x');
    expect(() => readSummary(path)).toThrow(`${path} is no summary to go on from: `);
    writeFileSync(path, '{"commit": "one"}');
    expect(() => readSummary(path)).toThrow('machine: ');
  });

  test('is gone on from on the same engine alone, and not by other options', () => {
    const kept = { commit: 'one', options: usual, machine: 'two cores', ...summaryOf(results) };
    expect(isContinued('FILE', kept, { commit: 'one', options: usual })).toBe(true);
    expect(isContinued('FILE', kept, { commit: 'two', options: unhealed })).toBe(false);
    expect(
      isContinued('FILE', { ...kept, commit: 'one-dirty' }, { commit: 'one-dirty', options: usual }),
    ).toBe(false);
    expect(() => isContinued('FILE', kept, { commit: 'one', options: unhealed })).toThrow(
      'FILE is no summary to go on from: of worlds drawn by no options, and these are drawn by --regions 4 --unhealed',
    );
  });
});

test('a campaign in which something never happened, or too little did, is not passed', () => {
  const many = Array.from({ length: 200 }, (_, index) => ({ ...nothingDone, seed: index }));
  const busy = { virtualMs: 60_000, acknowledged: 300, overlaps: 2 };
  const covered = Object.fromEntries(sometimes.map((point) => [point, 1]));
  const passes = (change: Partial<SeedResult>, drawnBy: ScenarioOptions = usual): boolean => {
    const all = summaryOf(many.map((result) => ({ ...result, ...busy, coverage: covered, ...change })));
    return reportOn(all, { fresh: all, tookMs: 1, drawnBy }).isPassed;
  };
  expect(passes({})).toBe(true);
  expect(passes({ coverage: {} })).toBe(false);
  expect(passes({ acknowledged: 299 })).toBe(false);
  const violations = [{ checker: 'gaps', key: 'a', detail: 'b' }];
  expect(passes({ violations })).toBe(false);
  expect(passes({ coverage: {}, acknowledged: 299 }, unhealed), 'of worlds that cannot have all of it').toBe(
    true,
  );
  expect(passes({ violations }, unhealed)).toBe(false);
});
