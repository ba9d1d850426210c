/**
 * `npm run chaos`: runs every scenario with its seeds on real servers, one after the other, prints a line for each run
 * and a table at the end, and ends with 1 where anything failed. With `--results` it goes on where it was interrupted.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../tidy/tree.ts';
import { attempt } from './attempt.ts';
import { type ChaosOptions, readOptions, usage } from './options.ts';
import { testsPage } from './page.ts';
import { summarise, table } from './report.ts';
import { addResult, readResults } from './results-file.ts';
import type { RunResult } from './run-result.ts';
import { scenarios } from './scenario-list.ts';

const shownViolations = 5;
const pagePath = join(root, 'test/README.md');
const resultsPath = join(root, 'test/campaigns/chaos.jsonl');

async function main(): Promise<void> {
  const options = readOptions(
    process.argv.slice(2),
    scenarios.map(({ name }) => name),
  );
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${usage}`);
    process.exitCode = 2;
  } else if (options.isList) for (const { row, name, about } of scenarios) say(`${row}\t${name}\t${about}`);
  else if (options.isPage) writeFileSync(pagePath, testsPage(scenarios, readResults(resultsPath)));
  else await campaign(options);
}

async function campaign({ seed, runs, only, results: path, histories }: ChaosOptions): Promise<void> {
  const results: RunResult[] = path === null ? [] : [...readResults(path)];
  const first = seed ?? results[0]?.seed ?? randomInt(100_000);
  const chosen = scenarios.filter(({ name }) => only.length === 0 || only.includes(name));
  say(`${chosen.length} scenarios, seeds ${first} to ${first + runs - 1}`);
  for (let run = 0; run < runs; run++)
    for (const scenario of chosen) {
      const own = first + run;
      if (results.some((known) => known.scenario === scenario.name && known.seed === own)) continue;
      const { result, historyPath } = await attempt(scenario, own, histories);
      results.push(result);
      if (path !== null) addResult(path, result);
      tell(result, historyPath);
    }
  say(table(summarise(chosen, results)));
  const names = new Set(chosen.map(({ name }) => name));
  if (results.some(({ scenario, outcome }) => outcome === 'failed' && names.has(scenario)))
    process.exitCode = 1;
}

function tell(result: RunResult, historyPath: string | null): void {
  const { scenario, seed, outcome, tookMs, convergedMs, proof, reason, violations } = result;
  const seconds = (tookMs / 1000).toFixed(1);
  const converged = convergedMs === null ? '' : `, converged in ${convergedMs} ms`;
  say(`${scenario} seed ${seed}: ${outcome} in ${seconds} s${converged}. ${proof}${reason}`);
  for (const { checker, key, detail } of violations.slice(0, shownViolations))
    say(`  ${checker} ${key}: ${detail}`);
  if (outcome === 'failed') say(`  npm run chaos -- --only ${scenario} --seed ${seed}`);
  if (historyPath !== null) say(`  history: ${historyPath}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
