/** Histories of regions that are retired, from seeds; and one that ends in two minds without each rule (P8). */
import { expect, test } from 'vitest';
import { type Flaw, RetirementModel } from './retirement-model.ts';

const firstSeed = 1;
const seeds = 150;
const steps = 60;
const timeoutMs = 120_000;

test(
  `survivors come to one end of each region, seeds ${firstSeed} to ${firstSeed + seeds - 1}`,
  async () => {
    let ends = 0;
    for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
      const model = new RetirementModel(seed);
      await expect(model.run(steps), `seed ${seed}`).resolves.toBeUndefined();
      ends += model.agreed.size;
    }
    expect(ends).toBeGreaterThan(seeds);
  },
  timeoutMs,
);

/** With a seed that finds it out; many do. */
const flaws: readonly (readonly [flaw: Flaw, seed: number, message: string])[] = [
  ['everybody has the heir of its own wish', 3, 'two ends of eu'],
  ['appliers go on after the close', 4, 'eu has more of ap than is kept'],
];

test.each(flaws)('they would not without the rule: %s (seed %d)', async (flaw, seed, message) => {
  await expect(new RetirementModel(seed, flaw).run(steps)).rejects.toThrow(message);
  await expect(new RetirementModel(seed).run(steps)).resolves.toBeUndefined();
});
