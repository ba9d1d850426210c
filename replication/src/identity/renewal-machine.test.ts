/**
 * Databases of one region that all find that they are not its past (P9), in a small world of ticks: the table of
 * transitions, and over many seeds who wins, with and without processes that die between any two steps.
 */
import { describe, expect, test } from 'vitest';
import { type Incarnation, sameIncarnation } from '../ports/identity.ts';
import {
  isEnded,
  type RenewalEffect,
  type RenewalInput,
  type RenewalState,
  rulingClaim,
  startRenewal,
  stepRenewal,
} from './renewal-machine.ts';

const claim = { counter: 2, nonce: 5 };
const states: readonly RenewalState[] = [
  { kind: 'surveying' },
  { kind: 'listening', counter: 2 },
  { kind: 'noting', counter: 2 },
  { kind: 'claiming', claim },
  { kind: 'adopting', claim },
  { kind: 'losing', reason: 'others' },
  { kind: 'taken', claim },
  { kind: 'given-up', isAlive: false, reason: 'later' },
  { kind: 'lost', reason: 'others' },
];
const inputs: readonly RenewalInput[] = [
  { kind: 'surveyed', highest: 1 },
  { kind: 'alone' },
  { kind: 'heard', reason: 'a beat' },
  { kind: 'noted', claim },
  { kind: 'read', claims: [claim], noted: claim },
  { kind: 'adopted' },
  { kind: 'held' },
  { kind: 'failed', reason: 'no answer' },
];
/** What a state becomes by an input; given up where nothing is said. */
const table: Readonly<Record<string, Readonly<Record<string, RenewalState['kind']>>>> = {
  surveying: { surveyed: 'listening' },
  listening: { alone: 'noting' },
  noting: { noted: 'claiming' },
  claiming: { read: 'adopting' },
  adopting: { adopted: 'taken' },
  losing: { held: 'lost' },
};

test.each(states.flatMap((state) => inputs.map((input) => [state.kind, input.kind, state, input] as const)))(
  '%s takes "%s"',
  (from, by, state, input) => {
    const [next, effect] = stepRenewal(state, input);
    const expected = isEnded(state) ? state.kind : (table[from]?.[by] ?? 'given-up');
    expect(next.kind).toBe(expected);
    expect(effect.kind === 'end').toBe(isEnded(next));
  },
);

test('no counter is taken that no database can hold, whatever others say that they know', () => {
  const after = (highest: number) => stepRenewal({ kind: 'surveying' }, { kind: 'surveyed', highest })[0];
  expect(after(2 ** 32 - 2)).toEqual({ kind: 'listening', counter: 2 ** 32 - 1 });
  const reason = expect.stringContaining('none above 4294967295');
  for (const highest of [2 ** 32 - 1, Number.MAX_SAFE_INTEGER])
    expect(after(highest)).toEqual({ kind: 'given-up', isAlive: false, reason });
});

describe('a claim that was made', () => {
  const claiming: RenewalState = { kind: 'claiming', claim };
  const by = (claims: readonly Incarnation[], noted: Incarnation | null = claim) =>
    stepRenewal(claiming, { kind: 'read', claims, noted })[0];
  test('wins where it is the first of the highest counter', () => {
    expect(by([{ counter: 1, nonce: 9 }, claim, { counter: 2, nonce: 6 }])).toMatchObject({
      kind: 'adopting',
    });
  });
  test('loses for good to an earlier one of its counter, and to a higher one', () => {
    expect(by([{ counter: 2, nonce: 6 }, claim])).toMatchObject({ kind: 'losing' });
    expect(by([claim, { counter: 3, nonce: 6 }])).toMatchObject({ kind: 'losing' });
  });
  test('waits where the other claim is by a process of the same database, or the log has not got it', () => {
    const other = { counter: 3, nonce: 6 };
    expect(by([claim, other], other)).toMatchObject({ kind: 'given-up', isAlive: false });
    expect(by([])).toMatchObject({ kind: 'given-up', isAlive: false });
  });
});

/** Ticks for which a database listens, and the most that any step takes: much less, as ten seconds to one second are. */
const listenTicks = 20;
const stepTicks = 2;

interface Model {
  tick: number;
  readonly claims: Incarnation[];
  /** Beats by tick. */
  readonly beats: { readonly tick: number; readonly incarnation: Incarnation }[];
  readonly chance: () => number;
}

/** One database with one process, which may die and come back. */
class ModelDatabase {
  stored: Incarnation = { counter: 1, nonce: 1 };
  noted: Incarnation | null = null;
  isHeld = false;
  isAdopted = false;
  isLive = false;
  #state: RenewalState | null = null;
  #effect: RenewalEffect = { kind: 'end' };
  #until = 0;
  #since = 0;
  readonly #world: Model;

  constructor(world: Model) {
    this.#world = world;
    this.#until = world.tick + Math.floor(world.chance() * 30);
  }

  step(): void {
    const { tick, beats } = this.#world;
    if (this.isHeld || tick < this.#until) return;
    if (this.isLive) return this.#live();
    if (this.isAdopted) return this.#confirm();
    if (this.#state === null || isEnded(this.#state)) return this.#do(startRenewal());
    const input = this.#perform(beats);
    this.#do(stepRenewal(this.#state, input));
  }

  die(): void {
    this.#state = null;
    this.isLive = false;
    this.#until = this.#world.tick + Math.floor(this.#world.chance() * 60);
  }

  #do([state, effect]: readonly [RenewalState, RenewalEffect]): void {
    const { tick, chance } = this.#world;
    this.#state = state;
    this.#effect = effect;
    this.#since = tick;
    this.#until = tick + (effect.kind === 'listen' ? listenTicks : Math.ceil(chance() * stepTicks));
    if (state.kind === 'given-up') this.#until = tick + 5;
  }

  #perform(beats: Model['beats']): RenewalInput {
    const { claims, chance } = this.#world;
    const effect = this.#effect;
    switch (effect.kind) {
      case 'survey':
        return { kind: 'surveyed', highest: Math.max(1, ...claims.map(({ counter }) => counter)) };
      case 'listen': {
        const heard = beats.some(({ tick }) => tick >= this.#since);
        return heard ? { kind: 'heard', reason: 'a beat' } : { kind: 'alone' };
      }
      case 'note':
        this.noted = { counter: effect.counter, nonce: Math.floor(chance() * 2 ** 32) };
        return { kind: 'noted', claim: this.noted };
      case 'claim':
        claims.push(effect.claim);
        return { kind: 'read', claims: [...claims], noted: this.noted };
      case 'adopt':
        [this.stored, this.isAdopted] = [effect.claim, true];
        return { kind: 'adopted' };
      case 'hold':
        this.isHeld = true;
        return { kind: 'held' };
      case 'end':
        return { kind: 'failed', reason: 'the end' };
    }
  }

  /** Before the first write the claims are read once more. */
  #confirm(): void {
    const ruling = rulingClaim(this.#world.claims);
    if (ruling !== null && sameIncarnation(ruling, this.stored)) this.isLive = true;
    else this.isHeld = true;
    this.#until = this.#world.tick + 1;
  }

  /** It hears what is published in the region's name and beats itself. */
  #live(): void {
    const { beats, tick } = this.#world;
    if (beats.some(({ incarnation }) => incarnation.counter > this.stored.counter)) {
      [this.isLive, this.isHeld] = [false, true];
      return;
    }
    beats.push({ tick, incarnation: this.stored });
  }
}

function run(seed: number, { kills, ticks }: { readonly kills: number; readonly ticks: number }) {
  let word = seed;
  const chance = (): number => {
    word = (Math.imul(word, 1_664_525) + 1_013_904_223) >>> 0;
    return word / 2 ** 32;
  };
  const world: Model = { tick: 0, claims: [], beats: [], chance };
  const databases = Array.from({ length: 2 + Math.floor(chance() * 3) }, () => new ModelDatabase(world));
  let together = 0;
  for (; world.tick < ticks; world.tick++) {
    const order = databases.map((database) => ({ database, at: chance() })).toSorted((a, b) => a.at - b.at);
    for (const { database } of order) {
      if (world.tick < ticks / 2 && chance() < kills) database.die();
      database.step();
    }
    if (databases.filter(({ isLive }) => isLive).length > 1) together++;
  }
  return { databases, together, claims: world.claims };
}

test('of databases that start together one wins, and the others stop for good or hear it', () => {
  for (let seed = 1; seed <= 3000; seed++) {
    const { databases, together } = run(seed, { kills: 0, ticks: 200 });
    expect(databases.filter(({ isLive }) => isLive).length, `seed ${seed}`).toBe(1);
    expect(together, `seed ${seed}`).toBe(0);
    expect(databases.filter(({ isAdopted }) => isAdopted).length, `seed ${seed}`).toBe(1);
  }
});

test('whoever dies between two steps, no counter is taken twice, and two never go on side by side', () => {
  let most = 0;
  for (let seed = 1; seed <= 3000; seed++) {
    const { databases, together } = run(seed, { kills: 0.02, ticks: 600 });
    const adopted = databases.filter(({ isAdopted }) => isAdopted).map(({ stored }) => stored.counter);
    expect(new Set(adopted).size, `seed ${seed}`).toBe(adopted.length);
    expect(databases.filter(({ isLive }) => isLive).length, `seed ${seed}`).toBeLessThanOrEqual(1);
    most = Math.max(most, together);
  }
  // A database that comes back just when another has listened in vain: until the higher one is heard.
  expect(most).toBeLessThanOrEqual(3 * stepTicks);
});
