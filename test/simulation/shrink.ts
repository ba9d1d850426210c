/**
 * Makes a failing scenario small enough to read: it leaves out faults, then operations, then time, each in halves,
 * quarters and so on, as long as what is left fails in the same way. A scenario is plain data and a run depends on
 * nothing else, so every step is certain.
 */
import { runScenario } from './run.ts';
import type { Scenario } from './scenario.ts';

interface Budget {
  runs: number;
}

export async function shrink(scenario: Scenario, checker: string, maxRuns: number): Promise<Scenario> {
  const budget = { runs: maxRuns };
  const fails = async (candidate: Scenario): Promise<boolean> => {
    if (budget.runs-- <= 0) return false;
    const { violations } = await runScenario(candidate);
    return violations.some((violation) => violation.checker === checker);
  };
  let small = scenario;
  small = await without(small, 'faults', { fails, budget });
  small = await without(small, 'operations', { fails, budget });
  return shorten(small, fails);
}

async function without(
  scenario: Scenario,
  what: 'faults' | 'operations',
  { fails, budget }: { readonly fails: (candidate: Scenario) => Promise<boolean>; readonly budget: Budget },
): Promise<Scenario> {
  let small = scenario;
  for (let size = Math.ceil(small[what].length / 2); size >= 1 && budget.runs > 0; ) {
    let isSmaller = false;
    for (let first = 0; first < small[what].length; ) {
      const left = [...small[what].slice(0, first), ...small[what].slice(first + size)];
      const candidate: Scenario = { ...small, [what]: left };
      if (await fails(candidate)) {
        small = candidate;
        isSmaller = true;
      } else first += size;
    }
    if (size === 1 && !isSmaller) break;
    size = size === 1 ? 1 : Math.ceil(size / 2);
  }
  return small;
}

async function shorten(
  scenario: Scenario,
  fails: (candidate: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  const lastMs = Math.max(
    1000,
    ...scenario.operations.map(({ atMs }) => atMs),
    ...scenario.faults.map(({ atMs, forMs }) => atMs + forMs),
  );
  for (const durationMs of [lastMs + 1, scenario.durationMs / 2]) {
    const candidate = { ...scenario, durationMs };
    if (durationMs < scenario.durationMs && (await fails(candidate))) return candidate;
  }
  return scenario;
}
