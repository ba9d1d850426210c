/** What one seed came to, as workers tell it and results files keep it. */
import type { RunResult } from './run.ts';
import { runScenario } from './run.ts';
import type { ScenarioOptions } from './scenario.ts';
import { drawScenario } from './scenario.ts';

export interface SeedResult extends RunResult {
  /** It ran twice. */
  readonly isTwice: boolean;
  /** Of the core that ran it. */
  readonly cpuMs: number;
}

/** One of so many seeds runs twice, and both traces must be equal. */
const twiceEvery = 100;

export async function runSeed(seed: number, options: ScenarioOptions): Promise<SeedResult> {
  const before = process.cpuUsage();
  const result = await runOften(seed, options);
  const { user, system } = process.cpuUsage(before);
  return { ...result, cpuMs: (user + system) / 1000 };
}

async function runOften(seed: number, options: ScenarioOptions): Promise<Omit<SeedResult, 'cpuMs'>> {
  const scenario = drawScenario(seed, options);
  const result = await runScenario(scenario);
  if (seed % twiceEvery !== 0) return { ...result, isTwice: false };
  const again = await runScenario(scenario);
  if (again.trace === result.trace) return { ...result, isTwice: true };
  const detail = `${result.trace} and then ${again.trace}`;
  const violation = { checker: 'same trace', key: String(seed), detail };
  return { ...result, isTwice: true, violations: [...result.violations, violation] };
}
