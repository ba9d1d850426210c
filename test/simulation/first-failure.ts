/**
 * Runs seeds until one fails, and prints it with its first violation: `node first-failure.js FIRST COUNT [unhealed]`.
 */
import { runScenario } from './run.ts';
import { drawScenario } from './scenario.ts';

const [first = '1', count = '1', nets = ''] = process.argv.slice(2);

const options = { regions: null, seconds: null, isHealing: nets !== 'unhealed' };

for (let seed = Number(first); seed < Number(first) + Number(count); seed++) {
  const { violations } = await runScenario(drawScenario(seed, options));
  const [violation] = violations;
  if (violation === undefined) continue;
  const { checker, detail } = violation;
  process.stdout.write(`${seed} ${checker}: ${detail.split('\n')[0]?.slice(0, 120)}\n`);
  break;
}
