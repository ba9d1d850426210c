/** Runs a scenario once and turns whatever happens into a result; the history of a failed run is kept. */
import type { History } from '../checkers/history.ts';
import { join } from 'node:path';
import { machine } from '../place.ts';
import { root } from '../tidy/tree.ts';
import { writeHistory } from './history-file.ts';
import { lackOf } from './machine.ts';
import { type Ground, type Ran, runScenario } from './run.ts';
import type { RunResult } from './run-result.ts';
import type { Scenario } from './scenario.ts';

export interface Attempt {
  readonly result: RunResult;
  /** `null`: not kept. */
  readonly historyPath: string | null;
}

const shownViolations = 20;
const failedFolder = join(root, 'test/dist/chaos-failures');

export interface AttemptOptions {
  readonly seed: number;
  /** What was built: the working folder may change while a campaign runs. */
  readonly commit: string;
  /** A folder for the history of any run; `null`: it is kept where the run failed. */
  readonly histories: string | null;
  /** Where to run; by default on servers of its own. */
  readonly ground?: Ground;
}

export async function attempt(
  scenario: Scenario,
  { seed, commit, histories, ground }: AttemptOptions,
): Promise<Attempt> {
  const startedAt = new Date().toISOString();
  const startedMs = performance.now();
  const common = { scenario: scenario.name, row: scenario.row, seed, commit, machine: machine() };
  const lack = lackOf(scenario.needs);
  const empty = { proof: '', windows: [], operations: {}, convergedMs: null, violations: [] };
  const nothing = {
    ...common,
    startedAt,
    ...empty,
    gauges: { readings: 0, worstMs: 0, counts: 0, backlogs: 0 },
  };
  if (lack !== null)
    return { result: { ...nothing, tookMs: 0, outcome: 'not staged', reason: lack }, historyPath: null };
  try {
    const ran = await runScenario(scenario, seed, ground);
    const tookMs = Math.round(performance.now() - startedMs);
    const outcome = ran.violations.length === 0 ? 'passed' : 'failed';
    const folder = histories ?? (outcome === 'failed' ? failedFolder : null);
    const historyPath =
      folder === null ? null : writeHistory({ folder, name: `${scenario.name}-${seed}` }, ran);
    return { result: { ...common, startedAt, tookMs, outcome, reason: '', ...told(ran) }, historyPath };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const tookMs = Math.round(performance.now() - startedMs);
    return { result: { ...nothing, tookMs, outcome: 'failed', reason }, historyPath: null };
  }
}

function told({
  proof,
  history,
  stage,
  oracle,
  convergedMs,
  violations,
}: Ran): Pick<RunResult, 'proof' | 'windows' | 'operations' | 'convergedMs' | 'gauges' | 'violations'> {
  return {
    proof,
    windows: stage.windows.map(({ fault, fromMs, toMs, acknowledged }) => ({
      fault,
      tookMs: Math.round(toMs - fromMs),
      acknowledged,
    })),
    operations: countOperations(history),
    convergedMs: Math.round(convergedMs),
    gauges: oracle.figures,
    violations: violations.slice(0, shownViolations),
  };
}

function countOperations(history: History): Record<string, Record<string, number>> {
  const counts: Record<string, Record<string, number>> = {};
  for (const { operation, result } of history) {
    const ofKind = (counts[operation.kind] ??= {});
    ofKind[result] = (ofKind[result] ?? 0) + 1;
  }
  return counts;
}
