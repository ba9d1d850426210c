/** A whole campaign: from what is known of it already to a report, with each failure told as it comes. */
import { runScenario } from '../run.ts';
import { drawScenario, type Scenario } from '../scenario.ts';
import type { SeedResult } from '../seed-result.ts';
import type { SimOptions } from './options.ts';
import { engineCommit, machine } from './place.ts';
import { describe, type Report, reportOn } from './report.ts';
import { ResultsFile } from './results-file.ts';
import { runSeeds } from './run-seeds.ts';
import { shrink } from './shrink.ts';
import { hasRun, type Summary, summaryOf, together } from './summary.ts';
import { readSummary, writeSummary } from './summary-file.ts';

type Say = (line: string) => void;

const maxShrinkRuns = 400;
const shownFailures = 10;
/** After so many seeds the summary is written, so that no more are lost with the process. */
const writtenEvery = 200;

/** Throws `SummaryFileError`. */
export async function runCampaign(options: SimOptions, say: Say): Promise<Report> {
  const { seed, seeds } = options;
  const commit = engineCommit();
  say(`seeds ${seed} to ${seed + seeds - 1} at ${commit}`);
  const before = summaryBefore(options, commit, say);
  const file = new ResultsFile(options.results, commit);
  const results: SeedResult[] = file
    .read()
    .filter((known) => known.seed >= seed && known.seed < seed + seeds && !hasRun(before, known.seed));
  const known = new Set(results.map((result) => result.seed));
  const left = Array.from({ length: seeds }, (_, index) => seed + index).filter(
    (each) => !known.has(each) && !hasRun(before, each),
  );
  const all = (): Summary => together(before, summaryOf(results));
  const write = (): void => {
    if (options.summary !== null) writeSummary(options.summary, { commit, machine: machine(), ...all() });
  };
  const startedMs = performance.now();
  const fresh: SeedResult[] = [];
  await runSeeds(left, options, (result) => {
    file.add(result);
    results.push(result);
    fresh.push(result);
    if (result.violations.length > 0) tellFailure(result, { options, commit, say });
    if (fresh.length % writtenEvery === 0) write();
    return 'go on';
  });
  const tookMs = performance.now() - startedMs;
  write();
  const failed = results.find(({ violations }) => violations.length > 0);
  if (failed !== undefined) await tellShrunk(failed, options, say);
  const report = reportOn(all(), { fresh: summaryOf(fresh), tookMs });
  say(report.text);
  return report;
}

/** What the file for the summary says of this engine; of another one it is written anew. */
function summaryBefore({ summary: path }: SimOptions, commit: string, say: Say): Summary {
  const nothing = summaryOf([]);
  const before = path === null ? null : readSummary(path);
  if (before === null) return nothing;
  if (before.commit === commit) {
    say(`${before.seeds} seeds of this engine are in ${path} already`);
    return before;
  }
  say(`${path} is of ${before.commit}, and is written anew`);
  return nothing;
}

function tellFailure(
  { seed, violations }: SeedResult,
  { options, commit, say }: { options: SimOptions; commit: string; say: Say },
): void {
  const { regions, seconds, isHealing } = options;
  const rest = [
    regions === null ? '' : ` --regions ${regions}`,
    seconds === null ? '' : ` --seconds ${seconds}`,
    isHealing ? '' : ' --unhealed',
  ];
  say(`seed ${seed} failed at ${commit}: npm run sim -- --seed ${seed}${rest.join('')}`);
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
