/**
 * One run of one scenario: operations and faults, then the world is healed, then it has a bounded time to settle, then
 * a quiet while, then the verdict. A process of the engine that fails otherwise than by an error with a code has
 * crashed, and that is a violation like any other.
 */
import type { Violation } from '../checkers/history.ts';
import { Faults } from './faults.ts';
import { quietFaults } from './judge-quiet.ts';
import type { Scenario } from './scenario.ts';
import { SessionWorkload } from './session-workload.ts';
import { Verdict } from './verdict.ts';
import { Workload } from './workload.ts';
import { World } from './world.ts';

export interface RunResult {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly trace: string;
  readonly virtualMs: number;
  readonly tookMs: number;
  readonly events: number;
  readonly acknowledged: number;
  readonly overlaps: number;
  readonly settledMs: number;
  readonly coverage: Readonly<Record<string, number>>;
}

const settleTimeoutMs = 90_000;
const settlePollMs = 500;
const quietMs = 8000;
/** By then even a link that kept breaking has proven itself. */
const restlessMs = 12_000;
const maxViolations = 50;

export async function runScenario(
  scenario: Scenario,
  write: ((line: string) => void) | null = null,
): Promise<RunResult> {
  const startedMs = performance.now();
  const world = new World(scenario, write);
  const crashes: Violation[] = [];
  const crashed = (reason: unknown): void => void crashes.push(crashOf(reason));
  process.on('unhandledRejection', crashed);
  process.on('uncaughtException', crashed);
  try {
    const run = await live(world, crashes);
    return { ...run, tookMs: performance.now() - startedMs };
  } finally {
    process.off('unhandledRejection', crashed);
    process.off('uncaughtException', crashed);
  }
}

async function live(world: World, crashes: readonly Violation[]): Promise<Omit<RunResult, 'tookMs'>> {
  const { scenario, scheduler } = world;
  const workload = new Workload(world, scenario);
  const sessions = new SessionWorkload(world);
  const faults = new Faults(world, world.random.split('faults'));
  const verdict = new Verdict(world);
  const until = (atMs: number): Promise<void> => scheduler.run(atMs, () => stopIfCrashed(crashes));
  let settledMs = Infinity;
  try {
    world.start();
    workload.start();
    sessions.start();
    faults.plan(scenario.faults);
    await until(scenario.durationMs);
    faults.heal();
    const healedAtMs = scheduler.nowMs;
    while (scheduler.nowMs < healedAtMs + settleTimeoutMs) {
      await until(scheduler.nowMs + settlePollMs);
      if (!(await verdict.isSettled())) continue;
      settledMs = scheduler.nowMs - healedAtMs;
      break;
    }
    await until(scheduler.nowMs + quietMs);
    for (let leftMs = restlessMs; leftMs > 0 && quietFaults(world).length > 0; leftMs -= 1000)
      await until(scheduler.nowMs + 1000);
    world.violations.push(...quietFaults(world));
  } catch (reason) {
    if (!(reason instanceof Crashed)) throw reason;
  }
  const judged =
    crashes.length > 0
      ? []
      : [
          ...(await verdict.violations(workload, sessions.history)),
          ...sessions.violations,
          ...world.incidents.violations(),
        ];
  const violations = [...crashes, ...judged];
  return {
    seed: scenario.seed,
    violations: violations.slice(0, maxViolations),
    trace: world.trace.hash,
    virtualMs: scheduler.nowMs,
    events: scheduler.fired,
    acknowledged: workload.acknowledged + sessions.acknowledged,
    overlaps: faults.overlaps,
    settledMs,
    coverage: Object.fromEntries(world.coverage),
  };
}

class Crashed extends Error {}

function stopIfCrashed(crashes: readonly Violation[]): void {
  if (crashes.length > 0) throw new Crashed();
}

function crashOf(reason: unknown): Violation {
  const detail = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason);
  return { checker: 'crash', key: 'process', detail };
}
