/** Histories by chance on the library and on the model: a quick slice of `npm run laws -w conflict`. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ReadResult, type Schema, schema } from '../record/schema.ts';
import { yjsText } from '../text/yjs-text.ts';
import { counter, register } from '../types/field.ts';
import { sights } from './coverage.ts';
import { type HistoryOptions, runHistory } from './history.ts';
import { HistoryFailure } from './history-failure.ts';
import { fieldsOfOneType } from './one-type.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const policies = ['add-wins', 'last-writer-wins'] as const;

function playMany(numRuns: number, options: Omit<HistoryOptions, 'seed'>): void {
  fc.assert(
    fc.property(fc.noShrink(seeds), (seed) => {
      runHistory({ ...options, seed });
    }),
    { numRuns, seed: 1 },
  );
}

test('records of any schema show what the model shows, and replicas agree', () => {
  playMany(60, { steps: 60, text: yjsText });
}, 120_000);

describe.each(policies)('%s', (deletes) => {
  test.each(Object.keys(fieldsOfOneType))('%s: shows what the model shows', (type) => {
    const one = schema(fieldsOfOneType[type] ?? {}, { deletes, text: yjsText });
    playMany(8, { steps: 60, schema: one });
  });
});

test('a history follows from its seed', () => {
  const bytes = (seed: number) =>
    runHistory({ seed, steps: 80, text: yjsText }).replicas.map(({ state }) =>
      Buffer.from(state).toString('hex'),
    );
  expect(bytes(7)).toEqual(bytes(7));
  expect(bytes(7)).not.toEqual(bytes(8));
});

test.each([0, 7, 1.5])('%s replicas are refused', (replicas) => {
  expect(() => runHistory({ seed: 1, steps: 1, replicas })).toThrow(
    expect.objectContaining({ code: 'invalid-argument', rule: 'replicas' }),
  );
});

test.each([
  ['steps', { seed: 1, steps: Number.NaN }],
  ['steps', { seed: 1, steps: 0 }],
  ['steps', { seed: 1, steps: 1.5 }],
  ['seed', { seed: Number.NaN, steps: 1 }],
  ['seed', { seed: 2 ** 60, steps: 1 }],
])('unusable %s are refused, not played in vain', (rule, options) => {
  expect(() => runHistory(options)).toThrow(expect.objectContaining({ code: 'invalid-argument', rule }));
});

test.each([
  ['options', 'null'],
  ['seed', '{ "steps": 1 }'],
  ['seed', '{ "seed": "x", "steps": 1 }'],
  ['steps', '{ "seed": 1 }'],
  ['schema', '{ "seed": 1, "steps": 1, "schema": {} }'],
])('unusable %s from JSON are refused: %s', (rule, json) => {
  expect(() => runHistory(JSON.parse(json))).toThrow(
    expect.objectContaining({ code: 'invalid-argument', rule }),
  );
});

test('coverage counts what was seen', () => {
  const { coverage, replicas } = runHistory({ seed: 3, steps: 100, replicas: 3, text: yjsText });
  expect(replicas.length).toBe(3);
  expect(coverage.counts().map(([sight]) => sight)).toEqual(sights);
  expect(coverage.of('edit')).toBeGreaterThan(20);
  expect(coverage.of('merge')).toBeGreaterThan(coverage.of('merge that changed nothing'));
  expect(coverage.of('six replicas')).toBe(0);
});

describe('a library that breaks a law', () => {
  const honest: Schema = schema({ likes: counter(), title: register() });
  const lying: Schema = {
    fields: honest.fields,
    deletes: honest.deletes,
    limits: honest.limits,
    edit: (before, context, change) => honest.edit(before, context, change),
    read(state) {
      const read = honest.read(state);
      return Number(read.value?.['likes']) > 5 ? lie(read) : read;
    },
  };
  const lie = (read: ReadResult) => ({ ...read, value: { ...read.value, likes: 5 } });
  const failure = () => {
    try {
      runHistory({ seed: 4, steps: 100, schema: lying });
    } catch (reason) {
      if (reason instanceof HistoryFailure) return reason;
      throw reason;
    }
    return expect.fail('nothing was found');
  };

  test('is found, with the seed and the few steps that matter', () => {
    const { seed, step, trace, message } = failure();
    expect(seed).toBe(4);
    expect(step).toBeGreaterThan(0);
    expect(trace.length).toBeLessThan(4);
    expect(new Set(trace.map(({ does }) => does))).toContain('edit');
    expect(message).toMatch(/seed 4, step \d+: .*likes shows 5, in the model/);
    expect(message).toContain('again: runHistory with the same options');
  });
});
