/**
 * A slice of the simulation on every run of the tests: the command itself, on both cores, so that what the test shows is
 * what an operator of the command sees. The seeds are the same every time, `SEED` names others; searching on is what
 * `npm run sim` is for.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readOptions } from './campaign/options.ts';
import { runScenario } from './run.ts';
import { drawScenario, type FaultKind, faultKinds, type Scenario } from './scenario.ts';
import { shrink } from './campaign/shrink.ts';

const program = new URL('../dist/simulation/main.js', import.meta.url).pathname;
const seed = Number(process.env['SEED'] ?? 1);
const seeds = 200;
/** Of the report: how many, how fast, the medians, and how complete. */
const headLines = 5;

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
    (await runScenario(drawScenario(from, { regions: 2, seconds: 20, isHealing: true, faults: null }))).trace;
  const first = await run(seed);
  expect(await run(seed)).toBe(first);
  expect(await run(seed + 1)).not.toBe(first);
}, 120_000);

test('a failing scenario is shrunk to what makes it fail', async () => {
  const scenario = drawScenario(4711, { regions: 3, seconds: 60, isHealing: true, faults: null });
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
  expect(readOptions(['--faults', 'restore,cut'], 1)).toMatchObject({ faults: ['cut', 'restore'] });
  const choice = `take some of ${faultKinds.join(', ')}`;
  expect(readOptions(['--faults', 'cut,nonsense'], 1)).toBe(`--faults names nonsense: ${choice}`);
  expect(readOptions(['--faults'], 1)).toBe(`--faults names nothing: ${choice}`);
});

test('where kinds of fault are named, worlds have no others, and more of them', () => {
  const options = { regions: null, seconds: null, isHealing: true };
  const drawn = (faults: readonly FaultKind[] | null) =>
    Array.from({ length: 300 }, (_, from) => drawScenario(from, { ...options, faults }));
  const named: readonly FaultKind[] = ['drop-oldest', 'restore', 'refill'];
  const kindsIn = ({ faults }: Scenario) => new Set(faults.map(({ kind }) => kind));
  const pressed = drawn(named);
  expect(new Set(pressed.flatMap((scenario) => [...kindsIn(scenario)]))).toEqual(new Set(named));
  const withAll = (scenarios: readonly Scenario[]): number =>
    scenarios.filter((scenario) => named.every((kind) => kindsIn(scenario).has(kind))).length;
  expect(withAll(pressed)).toBeGreaterThan(100);
  expect(withAll(drawn(null))).toBe(0);
});
