/** A slice of the campaign that `npm run fuzz -w conflict` runs at length, and every input that ever broke a rule. */
import { describe, expect, test } from 'vitest';
import { open, seal } from '../codec/seal.ts';
import { ConflictError } from '../errors.ts';
import { Campaign } from './campaign.ts';
import { Examination } from './examination.ts';
import { bytesOf, hexOf } from './hex.ts';
import { Random } from './random.ts';
import { regressions } from './regressions.ts';

const seed = 20_240_601;
const inputs = 6000;
/** Two seconds are enough, but on a machine with much else to do. */
const timeoutMs = 120_000;

function shown(examination: Examination): readonly string[] {
  return examination.failures.map(
    ({ property, detail, input, other }) =>
      `${property}: ${detail} --input ${hexOf(input)} --other ${hexOf(other)}`,
  );
}

test(
  `${inputs} forged and damaged records, seed ${seed}`,
  () => {
    const campaign = new Campaign(seed);
    for (let number = 1; number <= inputs; number++) campaign.run(number, () => undefined);
    expect(shown(campaign.examination)).toEqual([]);
    expect([...campaign.examination.codes].toSorted()).toEqual([
      'below-horizon',
      'checksum-mismatch',
      'counter-out-of-range',
      'insufficient-rights',
      'invalid-argument',
      'invalid-schema',
      'invalid-value',
      'malformed',
      'newer-format',
      'text-engine-missing',
      'too-deep',
      'too-large',
      'unknown-field',
      'wrong-operation',
    ]);
    const valid = campaign.examination.outcomes.get('read ok') ?? 0;
    expect(valid).toBeGreaterThan(inputs / 10);
  },
  timeoutMs,
);

describe('inputs that once broke a rule', () => {
  test.each(regressions.map((regression) => [regression.broke, regression] as const))(
    '%s',
    (_, { input, other }) => {
      const random = new Random(seed, 0);
      const examination = new Examination(random);
      for (let round = 1; round <= 100; round++) {
        random.restart(seed, round);
        examination.examine(bytesOf(input), bytesOf(other));
      }
      expect(shown(examination)).toEqual([]);
    },
  );
});

test('one, two or three flipped bits within a kibibyte never open', () => {
  const content = Uint8Array.from({ length: 40 }, (_, at) => (at * 37) & 0xff);
  const sealed = seal(content);
  const bits = 8 * sealed.length;
  const opens = (...flips: readonly number[]) => {
    const flipped = sealed.slice();
    for (const bit of flips) flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    try {
      open(flipped);
    } catch (reason) {
      if (reason instanceof ConflictError && reason.code === 'checksum-mismatch') return false;
      throw reason;
    }
    return true;
  };
  expect(opens()).toBe(true);
  for (let first = 0; first < bits; first++) {
    if (opens(first)) expect.fail(`bit ${first}`);
    for (let second = first + 1; second < bits; second++) {
      if (opens(first, second)) expect.fail(`bits ${first} and ${second}`);
      const third = (first * 31 + second * 17) % bits;
      if (third !== first && third !== second && opens(first, second, third))
        expect.fail(`${first} ${second} ${third}`);
    }
  }
});
