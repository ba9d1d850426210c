/**
 * `npm run chaos`: runs every scenario with its seeds on real servers, one after the other, prints a line for each run
 * and a table at the end, and ends with 1 where anything failed. With `--results` it goes on where it was interrupted.
 */
import { randomInt } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { whyNotWritable } from '@isthmus/loadtest/writable';
import { JsonLinesError } from '../json-lines.ts';
import { commit } from '../place.ts';
import { root } from '../tidy/tree.ts';
import { attempt } from './attempt.ts';
import { type ChaosOptions, readOptions, usage } from './options.ts';
import { foundIn } from './found.ts';
import { testsPage } from './page.ts';
import { judgeCampaign, leftAside, summarise, table, takenOver } from './report.ts';
import { resultsFile, takenFrom } from './results-file.ts';
import type { RunResult } from './run-result.ts';
import { scenarios } from './scenario-list.ts';

const shownViolations = 5;
const pagePath = join(root, 'test/README.md');

async function main(): Promise<void> {
  const options = readOptions(
    process.argv.slice(2),
    scenarios.map(({ name }) => name),
  );
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${usage}`);
    process.exitCode = 2;
  } else if (options.isList) for (const { row, name, about } of scenarios) say(`${row}\t${name}\t${about}`);
  else if (options.isPage) writeFileSync(pagePath, testsPage(foundIn(root)));
  else {
    const { results } = options;
    const unwritable = results === null ? null : whyNotWritable('--results', results);
    if (unwritable === null) return campaign(options);
    process.stderr.write(`${unwritable}\n`);
    process.exitCode = 2;
  }
}

async function campaign(options: ChaosOptions): Promise<void> {
  const { seed, runs, only, histories, isAnyCommit } = options;
  const at = commit();
  const file = options.results === null ? null : resultsFile(options.results);
  const known = (file?.read() ?? []).map(({ value }) => value);
  const { taken, leftAside: aside } = takenFrom(known, { commit: at, isAnyCommit });
  const results: RunResult[] = [...taken];
  const first = seed ?? results[0]?.seed ?? randomInt(100_000);
  const chosen = scenarios.filter(({ name }) => only.length === 0 || only.includes(name));
  say(`${chosen.length} scenarios, seeds ${first} to ${first + runs - 1} at ${at}`);
  for (const line of [takenOver(results, at), leftAside(aside)]) if (line !== null) say(line);
  const turns = Array.from({ length: runs }, (_, run) =>
    chosen.map((scenario) => ({ scenario, seed: first + run })),
  );
  for (const { scenario, seed: own } of turns.flat()) {
    const isDone = results.some(
      (each) => each.scenario === scenario.name && each.seed === own && each.outcome !== 'not staged',
    );
    if (isDone) continue;
    const { result, historyPath } = await attempt(scenario, { seed: own, commit: at, histories });
    results.push(result);
    file?.add(result);
    tell(result, historyPath);
  }
  say(table(summarise(chosen, results)));
  const names = new Set(chosen.map(({ name }) => name));
  const { faults, isPassed } = judgeCampaign(results.filter(({ scenario }) => names.has(scenario)));
  for (const fault of faults) say(fault);
  if (!isPassed) process.exitCode = 1;
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

try {
  await main();
} catch (reason) {
  if (!(reason instanceof JsonLinesError)) throw reason;
  process.stderr.write(`${reason.message}\n`);
  process.exitCode = 2;
}
