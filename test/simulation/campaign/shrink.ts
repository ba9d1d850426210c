/**
 * Makes a failing scenario small enough to read: it leaves out faults, then operations, then time, each in halves,
 * quarters and so on, as long as what is left fails in the same way. A scenario is plain data and a run depends on
 * nothing else, so every step is certain.
 */
import type { Scenario } from '../scenario.ts';

interface Budget {
  runs: number;
}

type Fails = (candidate: Scenario) => Promise<boolean>;

/** `failsAlike` says whether a candidate still fails in the way that is looked into. */
export async function shrink(scenario: Scenario, failsAlike: Fails, maxRuns: number): Promise<Scenario> {
  const budget = { runs: maxRuns };
  const fails: Fails = async (candidate) => budget.runs-- > 0 && failsAlike(candidate);
  let small = scenario;
  small = await without(small, 'faults', { fails, budget });
  small = await without(small, 'operations', { fails, budget });
  return shorten(small, fails);
}

async function without(
  scenario: Scenario,
  what: 'faults' | 'operations',
  { fails, budget }: { readonly fails: Fails; readonly budget: Budget },
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

async function shorten(scenario: Scenario, fails: Fails): Promise<Scenario> {
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
