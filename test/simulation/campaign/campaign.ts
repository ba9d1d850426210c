/** A whole campaign: from what is known of it already to a report, with each failure told as it comes. */
import { engineCommit, machine } from '../../place.ts';
import { runScenario } from '../run.ts';
import { drawScenario, type Scenario } from '../scenario.ts';
import type { SeedResult } from '../seed-result.ts';
import { drawnByOf, optionsOf } from './drawn-by.ts';
import type { SimOptions } from './options.ts';
import { describe, type Report, reportOn } from './report.ts';
import { ResultsFile } from './results-file.ts';
import { runSeeds } from './run-seeds.ts';
import { RunningSummary } from './running-summary.ts';
import { shrink } from './shrink.ts';
import { hasRun, type Summary, summaryOf, together } from './summary.ts';
import { isContinued, readSummary, writeSummary } from './summary-file.ts';

type Say = (line: string) => void;

const maxShrinkRuns = 400;
const shownFailures = 10;
/** After so many seeds the summary is written, so that no more are lost with the process. */
const writtenEvery = 200;

/** Throws `SummaryFileError` and `JsonLinesError`. */
export async function runCampaign(options: SimOptions, say: Say): Promise<Report> {
  const { seed, seeds } = options;
  const commit = engineCommit();
  say(`seeds ${seed} to ${seed + seeds - 1} at ${commit}`);
  const before = summaryBefore(options, commit, say);
  const file = options.results === null ? null : new ResultsFile(options.results, { commit, options });
  const results = (file?.read() ?? []).filter(
    (each) => each.seed >= seed && each.seed < seed + seeds && !hasRun(before, each.seed),
  );
  const all = new RunningSummary(together(before, summaryOf(results)));
  const left = Array.from({ length: seeds }, (_, index) => seed + index).filter(
    (each) => !hasRun(all.summary, each),
  );
  const write = (): void => {
    const { summary: path } = options;
    if (path !== null)
      writeSummary(path, { commit, machine: machine(), options: drawnByOf(options), ...all.summary });
  };
  const startedMs = performance.now();
  const fresh = new RunningSummary(summaryOf([]));
  let failed = results.find(hasFailed);
  await runSeeds(left, options, (result) => {
    file?.add(result);
    all.add(result);
    fresh.add(result);
    if (hasFailed(result)) {
      failed ??= result;
      tellFailure(result, { options, commit, say });
    }
    if (fresh.seeds % writtenEvery === 0) write();
    return 'go on';
  });
  const tookMs = performance.now() - startedMs;
  write();
  if (failed !== undefined) await tellShrunk(failed, options, say);
  const report = reportOn(all.summary, { fresh: fresh.summary, tookMs, drawnBy: options });
  say(report.text);
  return report;
}

function hasFailed({ violations }: SeedResult): boolean {
  return violations.length > 0;
}

/** What the file for the summary says of this engine; of another one it is written anew. */
function summaryBefore(options: SimOptions, commit: string, say: Say): Summary {
  const { summary: path } = options;
  const before = path === null ? null : readSummary(path);
  if (path === null || before === null) return summaryOf([]);
  if (isContinued(path, before, { commit, options })) {
    say(`${before.seeds} seeds of this engine are in ${path} already`);
    return before;
  }
  say(`${path} is of ${before.commit}, and is written anew`);
  return summaryOf([]);
}

function tellFailure(
  { seed, violations }: SeedResult,
  { options, commit, say }: { options: SimOptions; commit: string; say: Say },
): void {
  say(`seed ${seed} failed at ${commit}: npm run sim -- --seed ${seed}${optionsOf(options)}`);
  for (const violation of violations.slice(0, shownFailures)) say(describe(violation));
}

async function tellShrunk({ seed, violations }: SeedResult, options: SimOptions, say: Say): Promise<void> {
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
