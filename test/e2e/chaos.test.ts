/**
 * A slice of the campaign on real servers, so that it cannot rot: `npm run chaos` runs all of it, with as many seeds as
 * it is given. A run that fails says its seed and keeps its history.
 */
import { expect, test } from 'vitest';
import { attempt } from '../chaos/attempt.ts';
import { partition } from '../chaos/scenarios/partition.ts';
import { regionKilled } from '../chaos/scenarios/region-killed.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 100_000);

test.each([partition, regionKilled])(
  `$name on real servers, seed ${seed}`,
  async (scenario) => {
    const { result, historyPath } = await attempt(scenario, seed, null);
    expect(result, historyPath ?? '').toMatchObject({ outcome: 'passed', reason: '', violations: [] });
    process.stdout.write(`${scenario.name}: ${result.proof}\n`);
  },
  240_000,
);
