/** Every state with every input, and the rules of P8 one by one. */
import { describe, expect, test } from 'vitest';
import type { BarrierAnswer } from '../log/barrier-word.ts';
import { type RegionId, parseRegionId } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';
import {
  askOf,
  type BarrierInput,
  type BarrierState,
  effectOf,
  stepBarrier,
  waitingFor,
} from './barrier-machine.ts';

const named = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us, ap] = [named('eu'), named('us'), named('ap')];
const first = { counter: 1, nonce: 1 };
const second = { counter: 2, nonce: 2 };
const at = (region: RegionId, lsn: bigint): Vector[number] => ({
  region,
  incarnation: first,
  partition: 0,
  lsn,
});
const members = [us, ap];

function answer(told: Partial<BarrierAnswer> = {}): BarrierAnswer {
  const ours = { asker: eu, askerIncarnation: first, number: 3, round: 7 };
  return { ...ours, position: [at(us, 5n)], isCovered: false, ...told };
}

function heard(member: RegionId, told: BarrierAnswer | null, incarnation = first): BarrierInput {
  return { kind: 'heard', member, incarnation, answer: told };
}

const inputs: readonly BarrierInput[] = [
  { kind: 'due' },
  { kind: 'closed', mark: 9n },
  { kind: 'ended' },
  { kind: 'placed', round: 7, position: [at(eu, 1n)], members },
  heard(us, answer()),
  heard(us, answer({ isCovered: true })),
  heard(us, null),
  heard(us, null, second),
  heard(eu, answer({ isCovered: true })),
  { kind: 'covered-here' },
  { kind: 'members', members },
  { kind: 'members', members: [us] },
  { kind: 'completed' },
  { kind: 'in-vain' },
];

function run(state: BarrierState, ...steps: readonly BarrierInput[]): BarrierState {
  return steps.reduce(stepBarrier, state);
}

const resting: BarrierState = { kind: 'resting', completed: 2 };
const closing = run(resting, { kind: 'due' });
const draining = run(closing, { kind: 'closed', mark: 9n });
const placing = run(draining, { kind: 'ended' });
const asking = run(placing, { kind: 'placed', round: 7, position: [at(eu, 1n)], members });
const half = run(asking, heard(us, answer()));
const covering = run(half, heard(ap, answer({ position: [at(ap, 4n), at(us, 6n)] })));
const here = run(covering, { kind: 'covered-here' });
const nearly = run(here, heard(us, answer({ isCovered: true })));
const completing = run(nearly, heard(ap, answer({ isCovered: true })));
const states = { resting, closing, draining, placing, asking, half, covering, here, nearly, completing };

test('the way through all states', () => {
  expect(Object.values(states).map(({ kind }) => kind)).toEqual([
    'resting',
    'closing',
    'draining',
    'placing',
    'asking',
    'asking',
    'covering',
    'covering',
    'covering',
    'completing',
  ]);
  expect(run(completing, { kind: 'completed' })).toEqual({ kind: 'resting', completed: 3 });
});

/** Which inputs change which state, by their places above; all others leave it as it is. */
const table: Readonly<Record<keyof typeof states, readonly number[]>> = {
  resting: [0],
  closing: [1],
  draining: [2],
  placing: [3],
  asking: [4, 5, 11],
  half: [7, 11],
  covering: [5, 7, 9, 11, 13],
  here: [5, 7, 11, 13],
  nearly: [7, 11, 13],
  completing: [12],
};

describe.each(Object.keys(table))('%s', (name) => {
  test.each(inputs.map((input, place) => [`${place} ${input.kind}`, place] as const))('%s', (_, place) => {
    const before = Object.entries(states).find(([each]) => each === name)?.[1] ?? expect.fail(name);
    const input = inputs[place] ?? expect.fail('an input');
    const changing = Object.entries(table).find(([each]) => each === name)?.[1] ?? [];
    const after = stepBarrier(before, input);
    const again = { ...after, covered: null };
    if (changing.includes(place)) expect(after).not.toEqual(before);
    else expect(again).toEqual({ ...before, covered: null });
  });
});

test('what is asked, whom it waits for, and what has to be done', () => {
  expect(askOf(asking)).toEqual({ number: 3, round: 7, vector: null });
  expect(askOf(covering)).toEqual({ number: 3, round: 7, vector: [at(eu, 1n), at(us, 6n), at(ap, 4n)] });
  expect([askOf(placing), askOf(completing)]).toEqual([null, null]);
  expect([asking, half, covering, nearly, completing].map(waitingFor)).toEqual([
    [us, ap],
    [ap],
    [us, ap],
    [ap],
    [],
  ]);
  expect(effectOf(here)).toBeNull();
  expect(effectOf(completing)).toMatchObject({ kind: 'complete', number: 3, round: 7 });
});

test('an answer to an earlier asking, or to another barrier, does not count', () => {
  for (const wrong of [answer({ round: 6 }), answer({ number: 2 })]) {
    expect(stepBarrier(asking, heard(us, wrong))).toBe(asking);
    expect(stepBarrier(here, heard(us, { ...wrong, isCovered: true }))).toBe(here);
  }
});

test('another incarnation of a member asks everybody again under the same number', () => {
  for (const state of [half, covering, here, nearly])
    expect(stepBarrier(state, heard(us, answer({ isCovered: true }), second))).toEqual({
      kind: 'placing',
      number: 3,
    });
});

test('a region without members needs nobody but itself', () => {
  const alone = run(placing, { kind: 'placed', round: 7, position: [at(eu, 1n)], members: [] });
  expect(alone).toMatchObject({ kind: 'covering', vector: [at(eu, 1n)] });
  expect(run(alone, { kind: 'covered-here' }).kind).toBe('completing');
});
