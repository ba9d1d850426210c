/**
 * A slice of the campaign on real servers, so that it cannot rot: `npm run chaos` runs all of it, with as many seeds as
 * it is given, each on servers of its own. These leave theirs whole, so here they come one after the other on the same. Scenarios
 * that change packets need root, so the check of a commit runs all of them. A run that fails says its seed and keeps its
 * history.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attempt } from '../chaos/attempt.ts';
import { Endings } from '../chaos/endings.ts';
import { type Ground, startGround } from '../chaos/run.ts';
import { scenarios } from '../chaos/scenario-list.ts';
import { pair } from '../chaos/scenario.ts';
import { commit } from '../place.ts';
import { partition } from '../chaos/scenarios/partition.ts';
import { resets } from '../chaos/scenarios/resets.ts';

const drawn = Number(process.env['SEED'] ?? Date.now() % 100_000);
/** Of five seeds in a row one has the shortest faults. */
const shortest = drawn - (drawn % 5);
const isCheck = process.env['CI'] !== undefined;
const ofPackets = scenarios.filter(({ needs }) => needs.includes('nft'));
const slice = (isCheck ? [partition, ...ofPackets] : [partition, resets]).map(
  (scenario, at) => [scenario.name, shortest + 5 * at, scenario] as const,
);

const endings = new Endings();
let ground: Ground;

beforeAll(async () => {
  ground = await startGround(pair, (end) => endings.add(end));
}, 150_000);

afterAll(() => endings.run(), 60_000);

test.each(slice)(
  '%s on real servers, seed %i',
  async (name, seed, scenario) => {
    expect(scenario).toMatchObject({ regions: pair.regions, destroyed: [] });
    const { result, historyPath } = await attempt(scenario, {
      seed,
      commit: commit(),
      histories: null,
      ground,
    });
    process.stdout.write(`${name}: ${result.outcome}. ${result.proof}${result.reason}\n`);
    // What needs root is staged where there is root, and named where there is none.
    if (result.outcome === 'not staged') return expect(scenario.needs).not.toEqual([]);
    expect(result, historyPath ?? '').toMatchObject({ outcome: 'passed', reason: '', violations: [] });
  },
  240_000,
);
