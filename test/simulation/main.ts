/**
 * `npm run sim`: runs seeds on all cores, says for each failure how to run it again, shrinks the first one, and ends
 * with 1 where anything failed, where a seed did too little, or where something that should happen never did.
 */
import { randomInt } from 'node:crypto';
import { JsonLinesError } from '../json-lines.ts';
import { runCampaign } from './campaign/campaign.ts';
import { readOptions, type SimOptions, usage } from './campaign/options.ts';
import { describe } from './campaign/report.ts';
import { SummaryFileError } from './campaign/summary-file.ts';
import { runScenario } from './run.ts';
import { drawScenario } from './scenario.ts';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), randomInt(2 ** 31));
  if (typeof options === 'string') return refuse(`${options}\n${usage}`);
  if (options.trace) return trace(options);
  try {
    const report = await runCampaign(options, say);
    if (!report.isPassed) process.exitCode = 1;
  } catch (reason) {
    if (!(reason instanceof SummaryFileError || reason instanceof JsonLinesError)) throw reason;
    refuse(`${reason.message}\n`);
  }
}

async function trace(options: SimOptions): Promise<void> {
  const result = await runScenario(drawScenario(options.seed, options), say);
  for (const violation of result.violations) say(describe(violation));
  if (result.violations.length > 0) process.exitCode = 1;
}

function refuse(text: string): void {
  process.stderr.write(text);
  process.exitCode = 2;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

await main();
