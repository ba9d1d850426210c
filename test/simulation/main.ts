/**
 * `npm run sim`: runs seeds on all cores, says for each failure how to run it again, shrinks the first one, and ends
 * with 1 where anything failed, where a seed did too little, or where something that should happen never did.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { runCampaign } from './campaign.ts';
import { engineCommit, machine } from './place.ts';
import { readOptions, type SimOptions, usage } from './options.ts';
import { describe, reportOn } from './report.ts';
import { ResultsFile } from './results-file.ts';
import { runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';
import { drawScenario } from './scenario.ts';
import type { SeedResult } from './seed-result.ts';
import { shrink } from './shrink.ts';
import { summaryOf } from './summary.ts';

const maxShrinkRuns = 400;
const shownFailures = 10;
const commit = engineCommit();

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), randomInt(2 ** 31));
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${usage}`);
    process.exitCode = 2;
    return;
  }
  if (options.trace) await trace(options);
  else await campaign(options);
}

async function trace(options: SimOptions): Promise<void> {
  const result = await runScenario(drawScenario(options.seed, options), say);
  for (const violation of result.violations) say(describe(violation));
  if (result.violations.length > 0) process.exitCode = 1;
}

async function campaign(options: SimOptions): Promise<void> {
  const { seed, seeds } = options;
  say(`seeds ${seed} to ${seed + seeds - 1} at ${commit}`);
  const file = new ResultsFile(options.results, commit);
  const results: SeedResult[] = file
    .read()
    .filter((known) => known.seed >= seed && known.seed < seed + seeds);
  const known = new Set(results.map((result) => result.seed));
  const left = Array.from({ length: seeds }, (_, index) => seed + index).filter((each) => !known.has(each));
  const startedMs = performance.now();
  const fresh: SeedResult[] = [];
  await runCampaign(left, options, (result) => {
    file.add(result);
    fresh.push(result);
    if (result.violations.length > 0) tellFailure(result, options);
    return 'go on';
  });
  const tookMs = performance.now() - startedMs;
  results.push(...fresh);
  const failed = results.find(({ violations }) => violations.length > 0);
  const summary = summaryOf(results);
  const report = reportOn(summary, { fresh: summaryOf(fresh), tookMs });
  if (options.summary !== null)
    writeFileSync(
      options.summary,
      `${JSON.stringify({ commit, machine: machine(), ...summary }, null, 2)}\n`,
    );
  if (failed !== undefined) await tellShrunk(failed, options);
  say(report.text);
  if (!report.isPassed) process.exitCode = 1;
}

function tellFailure({ seed, violations }: SeedResult, options: SimOptions): void {
  const { regions, seconds, isHealing } = options;
  const rest = [
    regions === null ? '' : ` --regions ${regions}`,
    seconds === null ? '' : ` --seconds ${seconds}`,
    isHealing ? '' : ' --unhealed',
  ];
  say(`seed ${seed} failed at ${commit}: npm run sim -- --seed ${seed}${rest.join('')}`);
  for (const violation of violations.slice(0, shownFailures)) say(describe(violation));
}

async function tellShrunk({ seed, violations }: SeedResult, options: SimOptions): Promise<void> {
  const [first] = violations;
  if (first === undefined) return;
  const failsAlike = async (candidate: Scenario): Promise<boolean> =>
    (await runScenario(candidate)).violations.some(({ checker }) => checker === first.checker);
  const small = await shrink(drawScenario(seed, options), failsAlike, maxShrinkRuns);
  const { violations: left } = await runScenario(small);
  say(`seed ${seed}, shrunk to ${small.faults.length} faults and ${small.operations.length} operations:`);
  say(JSON.stringify({ ...small, operations: small.operations.slice(0, shownFailures) }));
  for (const violation of left.slice(0, shownFailures)) say(describe(violation));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
