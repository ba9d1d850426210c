/**
 * A slice of the campaign on real servers, so that it cannot rot: `npm run chaos` runs all of it, with as many seeds as
 * it is given. Scenarios that change packets need root, so the check of a commit runs all of them. A run that fails says its
 * seed and keeps its history.
 */
import { expect, test } from 'vitest';
import { attempt } from '../chaos/attempt.ts';
import { scenarios } from '../chaos/scenario-list.ts';
import { commit } from '../place.ts';
import { partition } from '../chaos/scenarios/partition.ts';
import { resets } from '../chaos/scenarios/resets.ts';

const drawn = Number(process.env['SEED'] ?? Date.now() % 100_000);
/** Of five seeds in a row one has the shortest faults. */
const seed = drawn - (drawn % 5);
const isCheck = process.env['CI'] !== undefined;
const ofPackets = scenarios.filter(({ needs }) => needs.includes('nft'));

test.each(isCheck ? [partition, ...ofPackets] : [partition, resets])(
  `$name on real servers, seed ${seed}`,
  async (scenario) => {
    const { result, historyPath } = await attempt(scenario, { seed, commit: commit(), histories: null });
    process.stdout.write(`${scenario.name}: ${result.outcome}. ${result.proof}${result.reason}\n`);
    // What needs root is staged where there is root, and named where there is none.
    if (result.outcome === 'not staged') return expect(scenario.needs).not.toEqual([]);
    expect(result, historyPath ?? '').toMatchObject({ outcome: 'passed', reason: '', violations: [] });
  },
  240_000,
);
