/**
 * Applies every mutation of `mutations.json` to a copy of the package, one at a time, and runs the test of the law
 * that it breaks. Prints which test killed it and how long that took; fails where one survives, where its text is not
 * found exactly once, or where a test fails without any mutation. The table in SPEC.md gets the outcome; `--check`
 * compares it instead; `--law L7` tries the mutations of one law.
 */
import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { readOptions, refuse } from '../command-line.ts';
import { type Mutation, mutationsFrom, PackageCopy } from './mutation.ts';
import { type Law, lawsOf, withRows } from './spec.ts';

const workers = 2;
const longestRunMs = 300_000;
const home = resolve(import.meta.dirname, '../../..');
const specificationFile = join(home, 'SPEC.md');
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');

type Outcome = 'killed' | 'killed by time' | 'survived' | 'does not run';

interface Tried {
  readonly mutation: Mutation;
  readonly law: Law;
  readonly outcome: Outcome;
  readonly seconds: string;
}

const usage = 'npm run mutants -w conflict -- [--check] [--law L7]';
const values = readOptions(usage, { check: { type: 'boolean' }, law: { type: 'string' } });

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function lawOf(laws: readonly Law[], number: string): Law {
  const law = laws.find((each) => each.number === number);
  if (law !== undefined) return law;
  print(`SPEC.md has no ${number}`);
  return process.exit(1);
}

/** A title with a placeholder stands for several tests. */
function patternOf(testName: string): string {
  return testName.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('%s', '.*');
}

/** Runs tests of one file in the copy, and says what came of it. */
async function run(copy: PackageCopy, testFile: string, testNames: readonly string[]): Promise<Outcome> {
  const report = join(copy.folder, 'report.json');
  rmSync(report, { force: true });
  const pattern = testNames.map(patternOf).join('|');
  const options = [
    '--reporter=json',
    `--outputFile=${report}`,
    '--no-file-parallelism',
    '--bail=1',
    '-t',
    pattern,
  ];
  const isInTime = await new Promise<boolean>((done) => {
    const parameters = { cwd: copy.folder, timeout: longestRunMs, maxBuffer: 2 ** 26 };
    execFile(process.execPath, [vitest, 'run', testFile, ...options], parameters, (error) => {
      done(error?.killed !== true);
    });
  });
  return isInTime ? outcomeIn(report) : 'killed by time';
}

function outcomeIn(report: string): Outcome {
  const found: unknown = JSON.parse(readFileSync(report, 'utf8'));
  const counts = new Map<string, unknown>(Object.entries(Object(found)));
  if (Number(counts.get('numFailedTests')) > 0) return 'killed';
  return Number(counts.get('numPassedTests')) > 0 ? 'survived' : 'does not run';
}

async function tryOne(copy: PackageCopy, mutation: Mutation, law: Law): Promise<Tried> {
  const start = performance.now();
  copy.apply(mutation);
  const outcome = await run(copy, law.testFile, [law.testName]);
  copy.restore(mutation);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  print(
    `${mutation.law.padEnd(4)} ${outcome.padEnd(14)} ${seconds.padStart(6)} s  ${mutation.file}: ${brief(mutation.find)}`,
  );
  return { mutation, law, outcome, seconds };
}

/** Without mutations, every test passes; else a kill would prove nothing. */
async function checkBaseline(copy: PackageCopy, laws: readonly Law[]): Promise<void> {
  for (const file of new Set(laws.map((law) => law.testFile))) {
    const names = laws.filter((law) => law.testFile === file).map((law) => law.testName);
    if ((await run(copy, file, names)) === 'survived') continue;
    print(`${file}: a test of a law fails without a mutation, or is not there`);
    process.exit(1);
  }
}

function brief(code: string): string {
  return code.trim().replaceAll(/\s+/g, ' ');
}

function cell(code: string): string {
  const text = brief(code);
  return text === '' ? 'nothing' : `\`${text.replaceAll('|', '\\|')}\``;
}

function rowOf({ mutation, law, outcome }: Tried): string {
  const change = `${cell(mutation.find)} | ${cell(mutation.replace)}`;
  return `| ${mutation.law} | \`${mutation.file}\` | ${change} | ${outcome}: ${law.testName} |`;
}

/** Workers with a copy each take the next mutation until none is left. */
async function tryAll(laws: readonly Law[], mutations: readonly Mutation[]): Promise<readonly Tried[]> {
  const tried: Tried[] = [];
  const waiting = mutations.entries();
  const work = async (copy: PackageCopy): Promise<void> => {
    for (const [index, mutation] of waiting) {
      tried[index] = await tryOne(copy, mutation, lawOf(laws, mutation.law));
    }
  };
  const copies = Array.from({ length: workers }, () => new PackageCopy(home));
  try {
    const [first] = copies;
    if (first !== undefined) await checkBaseline(first, laws);
    await Promise.all(copies.map(work));
  } finally {
    for (const copy of copies) copy.remove();
  }
  return tried;
}

const specification = readFileSync(specificationFile, 'utf8');
const isAsked = (law: string) => values['law'] === undefined || law === values['law'];
const laws = lawsOf(specification).filter(({ number }) => isAsked(number));
if (laws.length === 0) refuse(`SPEC.md has no ${String(values['law'])}`);
const json = readFileSync(join(home, 'tools/src/mutants/mutations.json'), 'utf8');
const tried = await tryAll(
  laws,
  mutationsFrom(json).filter(({ law }) => isAsked(law)),
);
const page = withRows(
  specification,
  tried.map((each) => ({ law: each.law.number, text: rowOf(each) })),
);
const killed = tried.filter(({ outcome }) => outcome.startsWith('killed'));
print(`${killed.length} of ${tried.length} mutations killed`);
if (values['check'] !== true) writeFileSync(specificationFile, page);
else if (page !== specification) print('SPEC.md has another table; run the command without --check');
const isWell = killed.length === tried.length && (values['check'] !== true || page === specification);
process.exit(isWell ? 0 : 1);
