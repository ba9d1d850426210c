/**
 * Runs seeds on all cores until one fails, and prints the first that did with its first violation:
 * `node first-failure.js FIRST COUNT [unhealed]`.
 */
import { runSeeds } from './run-seeds.ts';
import type { SeedResult } from '../seed-result.ts';

const [first = '1', count = '1', nets = ''] = process.argv.slice(2);

const options = {
  regions: null,
  seconds: null,
  isHealing: nets !== 'unhealed',
  faults: null,
  workers: null,
};
const seeds = Array.from({ length: Number(count) }, (_, index) => Number(first) + index);
const failed: SeedResult[] = [];
await runSeeds(seeds, options, (result) => {
  if (result.violations.length === 0) return 'go on';
  failed.push(result);
  return 'enough';
});
const [earliest] = failed.toSorted((a, b) => a.seed - b.seed);
for (const { checker, detail } of earliest?.violations.slice(0, 1) ?? [])
  process.stdout.write(`${earliest?.seed} ${checker}: ${detail.split('\n')[0]?.slice(0, 120)}\n`);
