/**
 * Whether a delta brings anything is read from the two heads alone, and what it brings stands in the head that is
 * written. Both are what the contexts say, whatever runs and numbers they have, and a head that is no head brings nothing
 * to rely on.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { covers, type Ranges, see } from '../causal/seen.ts';
import { merge, register, schema } from '../index.ts';
import { decode, encode } from './decoded-record.ts';
import { grows, joinHeads } from './head-union.ts';
import { join } from './join.ts';
import { finishRewriting } from './rewriting.ts';

const actors = ['a', 'ab', 'eu-1', 'é'];
const nothing: Uint8Array = new Uint8Array(0);

/** So near to each other, and to where numbers get longer, that both answers are common. */
const counter = fc.oneof(
  fc.integer({ min: 1, max: 6 }),
  fc.integer({ min: 126, max: 130 }),
  fc.integer({ min: 16_382, max: 16_386 }),
);
const runs = fc.array(fc.tuple(counter, fc.constantFrom(0, 0, 1, 2, 130)), { minLength: 1, maxLength: 2 });
const stateHead = fc.array(fc.option(fc.oneof(counter, fc.constantFrom(131, 16_386, 16_520)), { freq: 19 }), {
  minLength: actors.length,
  maxLength: actors.length,
});
const deltaHead = fc.array(fc.option(runs, { freq: 2 }), {
  minLength: actors.length,
  maxLength: actors.length,
});

function headOf(ranges: readonly Ranges[]): Uint8Array {
  const context = new Map<string, Ranges>();
  for (const [index, some] of ranges.entries()) {
    for (let at = 0; at < some.length; at += 2) {
      see(context, Buffer.from(actors[index] ?? '').toString('latin1'), some.slice(at, at + 2));
    }
  }
  return encode({ minor: 0, context, entries: [] });
}

const stateOf = (maxima: readonly (number | null)[]) =>
  headOf(maxima.map((max) => (max === null ? [] : [1, max])));
const deltaOf = (some: readonly ([number, number][] | null)[]) =>
  headOf(some.map((pairs) => (pairs ?? []).flatMap(([first, more]) => [first, first + more])));
const coversAll = (state: Uint8Array, delta: Uint8Array) =>
  covers(decode(state).context, decode(delta).context);

const hasSeenAll = (state: Uint8Array, delta: Uint8Array) => joinHeads(state, delta) && !grows;

test('the heads say what the contexts say', () => {
  const answers = { true: 0, false: 0 };
  let unions = 0;
  fc.assert(
    fc.property(stateHead, deltaHead, (maxima, some) => {
      const state = stateOf(maxima);
      const delta = deltaOf(some);
      if (decode(state).context.size === 0 || decode(delta).context.size === 0) return;
      const answer = hasSeenAll(state, delta);
      expect(answer).toBe(coversAll(state, delta));
      answers[`${answer}`]++;
      if (!joinHeads(state, delta) || !grows) return;
      expect(finishRewriting()).toEqual(encode(join(decode(state), decode(delta))));
      unions++;
    }),
    { numRuns: 4000 },
  );
  expect(unions).toBeGreaterThan(200);
  expect(answers.true).toBeGreaterThan(200);
  expect(answers.false).toBeGreaterThan(200);
});

test('a head that is cut or changed is not taken for one that was seen', () => {
  fc.assert(
    fc.property(
      stateHead,
      deltaHead,
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      (maxima, some, place, byte) => {
        const state = stateOf(maxima);
        const delta = deltaOf(some);
        if (decode(state).context.size === 0 || decode(delta).context.size === 0) return;
        for (let length = 1; length < delta.length; length++) {
          expect(hasSeenAll(state, delta.subarray(0, length))).toBe(false);
        }
        const changed = delta.slice();
        changed[place % delta.length] = byte;
        if (hasSeenAll(state, changed)) expect(isSeenUpToAnEntry(state, changed)).toBe(true);
      },
    ),
    { numRuns: 1000 },
  );
});

/** A head may become shorter by a change; what is behind it is an entry then, and entries are not looked at. */
function isSeenUpToAnEntry(state: Uint8Array, delta: Uint8Array): boolean {
  for (let length = delta.length; length > 0; length--) {
    try {
      return coversAll(state, delta.subarray(0, length));
    } catch {
      // No whole head ends here.
    }
  }
  return false;
}

test('a delta that lets go what it has seen, without a dot of its own, brings nothing by either way', () => {
  const type = schema({ a: register(), b: register() });
  const { state } = type.edit(nothing, { actor: 'eu-1', now: 1 }, (e) => {
    e.set('a', 'one');
    e.set('b', 'two');
  });
  // The walk takes no head of a newer version.
  for (const minor of [0, 1]) {
    const bare = encode({ ...decode(state), minor, entries: [] });
    expect(hasSeenAll(state, bare)).toBe(minor === 0);
    expect(merge(state, bare).state).toBe(state);
  }
});

test('an actor of whom nothing was seen is in no head', () => {
  const state = stateOf([1]);
  const [version, count, ...name] = [0x10, 1, 1, 0x61];
  expect(hasSeenAll(state, Uint8Array.from([version, count, ...name, 1, 0]))).toBe(true);
  expect(hasSeenAll(state, Uint8Array.from([version, count, ...name, 0, 0]))).toBe(false);
});

test('a new actor whose name is no text is refused, and not handed on', () => {
  const named = (byte: number) => Uint8Array.from([0x10, 1, 1, byte, 1, 0]);
  expect(() => merge(stateOf([1]), named(0xff))).toThrow('malformed');
  expect(merge(stateOf([1]), named(0x78)).changed).toBe(true);
});
