import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tagText } from '../codec/format.ts';
import { ConflictError } from '../errors.ts';
import type { Editor } from '../record/operations.ts';
import { compact } from '../record/compact.ts';
import { VersionVector } from '../causal/version-vector.ts';
import { decode, encode } from '../record/decoded-record.ts';
import { merge } from '../record/merge.ts';
import { schema } from '../record/schema.ts';
import { contextOf, isDead } from '../record/summary.ts';
import { validate } from '../record/validate.ts';
import { register, text } from '../types/field.ts';
import { yjsText } from './yjs-text.ts';

const nothing: Uint8Array = new Uint8Array(0);
const type = schema({ title: register(), notes: text() }, { text: yjsText });
let now = 1_700_000_000_000;

function edit(state: Uint8Array, actor: string, change: (e: Editor) => void) {
  now += 1;
  const edited = type.edit(state, { actor, now }, change);
  validate(edited.state);
  return edited;
}

function notesOf(state: Uint8Array): unknown {
  return type.read(state).value?.['notes'];
}

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (reason) {
    if (reason instanceof ConflictError) return `${reason.code} ${reason.rule}`;
    throw reason;
  }
  return 'none';
}

test('concurrent splices both take effect; several of one edit count from before it', () => {
  const base = edit(nothing, 'eu', (e) => e.splice('notes', [{ at: 0, insert: 'hello world' }]));
  const eu = edit(base.state, 'eu', (e) =>
    e.splice('notes', [
      { at: 11, insert: '!' },
      { at: 0, delete: 1, insert: 'Oh, h' },
    ]),
  );
  const us = edit(base.state, 'us', (e) => e.splice('notes', [{ at: 5, delete: 1, insert: ', ' }]));
  expect(notesOf(eu.state)).toBe('Oh, hello world!');
  expect(notesOf(merge(eu.state, us.delta).state)).toBe('Oh, hello, world!');
});

test('equal arguments give equal bytes', () => {
  const context = { actor: 'eu', now: 5 };
  const change = (e: Editor) => e.splice('notes', [{ at: 0, insert: 'x' }]);
  expect(type.edit(nothing, context, change).state).toEqual(type.edit(nothing, context, change).state);
});

test('a clear or a delete takes what it saw; a concurrent insertion finds its place', () => {
  const base = edit(nothing, 'eu', (e) => e.splice('notes', [{ at: 0, insert: 'hello world' }])).state;
  const us = edit(base, 'us', (e) => e.splice('notes', [{ at: 5, insert: ' brave' }]));
  const cleared = edit(base, 'eu', (e) => e.clear('notes')).state;
  expect(notesOf(cleared)).toBe('');
  expect(notesOf(merge(cleared, us.delta).state)).toBe(' brave');
  const deleted = edit(base, 'eu', (e) => e.delete()).state;
  expect(isDead(deleted)).toBe(true);
  expect(type.read(merge(deleted, us.delta).state).value).toEqual({ notes: ' brave' });
});

test('in collections where the last writer wins, the later of delete and insertion', () => {
  const profiles = schema({ notes: text() }, { deletes: 'last-writer-wins', text: yjsText });
  const at = (state: Uint8Array, actor: string, ms: number, change: (e: Editor) => void) =>
    profiles.edit(state, { actor, now: ms }, change);
  const base = at(nothing, 'eu', 1, (e) => e.put({ notes: 'abc' })).state;
  const deleted = at(base, 'eu', 10, (e) => e.delete()).state;
  const earlier = at(base, 'us', 5, (e) => e.splice('notes', [{ at: 3, insert: 'early' }])).delta;
  const later = at(base, 'us', 20, (e) => e.splice('notes', [{ at: 3, insert: 'late' }])).delta;
  expect(profiles.read(merge(deleted, earlier).state).exists).toBe(false);
  expect(profiles.read(merge(deleted, later).state).value).toEqual({ notes: 'late' });
  const again = at(merge(deleted, earlier).state, 'eu', 30, (e) => e.put({ notes: 'new' })).state;
  expect(profiles.read(again).value).toEqual({ notes: 'new' });
});

test('many edits in two places agree with a string, and their chunks are joined', () => {
  const splice = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat({ max: 3 }),
    insert: fc.string(),
  });
  fc.assert(
    fc.property(fc.array(splice, { maxLength: 60 }), (splices) => {
      let state = nothing;
      let plain = '';
      for (const [index, { at, cut, insert }] of splices.entries()) {
        const from = Math.floor(at * plain.length);
        const count = Math.min(cut, plain.length - from);
        plain = plain.slice(0, from) + insert + plain.slice(from + count);
        const actor = index % 2 === 0 ? 'eu' : 'us';
        state = edit(state, actor, (e) => e.splice('notes', [{ at: from, delete: count, insert }])).state;
      }
      expect(notesOf(state) ?? '').toBe(plain);
    }),
    { numRuns: 20 },
  );
});

test('words that build on each other are all there, whatever the order of their chunks', () => {
  const order = fc.array(fc.record({ at: fc.constantFrom('eu', 'us'), hears: fc.boolean() }), {
    minLength: 14,
    maxLength: 40,
  });
  const known = 'eu eu us< eu< eu eu eu eu eu eu eu eu eu eu eu eu eu eu'
    .split(' ')
    .map((step) => ({ at: step.slice(0, 2), hears: step.endsWith('<') }));
  fc.assert(
    fc.property(order, fc.integer({ min: 100, max: 300 }), (steps, floor) => {
      const states = new Map<string, Uint8Array>();
      const words = steps.map(({ at, hears }, index) => {
        const [own, other] = [states.get(at) ?? nothing, states.get(at === 'eu' ? 'us' : 'eu') ?? nothing];
        const before = hears ? merge(own, other).state : own;
        const word = `[${at}-${index}]`;
        const context = { actor: at, now: 1000 + index, floor: at === 'eu' ? floor : 0 };
        states.set(at, type.edit(before, context, (e) => e.splice('notes', [{ at: 0, insert: word }])).state);
        return word;
      });
      const both = merge(states.get('eu') ?? nothing, states.get('us') ?? nothing).state;
      expect([...String(notesOf(both)).matchAll(/\[[^[\]]*\]/gu)].map(String).toSorted()).toEqual(
        words.toSorted(),
      );
    }),
    { numRuns: 60, examples: [[known, 225]] },
  );
});

test('put writes the smallest splice and splits no character', () => {
  const base = edit(nothing, 'eu', (e) => e.put({ notes: 'a😀b😁c' })).state;
  const us = edit(base, 'us', (e) => e.splice('notes', [{ at: 0, insert: '>' }])).delta;
  const eu = edit(base, 'eu', (e) => e.put({ notes: 'a😁b😁c' }));
  expect(notesOf(merge(eu.state, us).state)).toBe('>a😁b😁c');
  // Both end in the same half.
  const other = edit(base, 'eu', (e) => e.put({ notes: 'a🨀b😁c' }));
  expect(notesOf(other.state)).toBe('a🨀b😁c');
  expect(edit(eu.state, 'eu', (e) => e.put({ notes: 'a😁b😁c' })).changed).toBe(false);
  expect(notesOf(edit(eu.state, 'eu', (e) => e.put({})).state)).toBe('');
});

test.each([
  [{ at: 0 }, 'invalid-value array'],
  [[{ at: 9 }], 'invalid-value within-text'],
  [[{ at: 0, delete: 9 }], 'invalid-value within-text'],
  [[{ at: -1 }], 'invalid-value at'],
  [[{ at: '1' }], 'invalid-value at'],
  [[{ at: 0, delete: 0.5 }], 'invalid-value delete'],
  [[{ at: 2, insert: 'x' }], 'invalid-value whole-characters'],
  [[{ at: 0, delete: 2 }], 'invalid-value whole-characters'],
  [[{ at: 0, insert: '\ud800' }], 'invalid-value well-formed-unicode'],
  [[{ at: 0, insert: 1 }], 'invalid-value insert'],
  [
    [
      { at: 0, delete: 3 },
      { at: 1, insert: 'x' },
    ],
    'invalid-value no-overlap',
  ],
  [[null], 'invalid-value object'],
])('the splices %o are refused', (splices, code) => {
  const base = edit(nothing, 'eu', (e) => e.put({ notes: 'a😀b' })).state;
  const given: Parameters<Editor['splice']>[1] = JSON.parse(JSON.stringify(splices));
  const lone = JSON.stringify(splices).includes('ud800');
  expect(
    codeOf(() => edit(base, 'eu', (e) => e.splice('notes', lone ? [{ at: 0, insert: '\ud800' }] : given))),
  ).toBe(code);
});

test.each([
  [
    (e: Editor) => e.splice('notes', [{ at: 3, insert: '!' }]),
    'a splice reaches beyond the end of the text',
    3,
  ],
  [(e: Editor) => e.put({ notes: 5 }), 'a text is given as a string', 5],
])('a fault is told in words of its own: %s', (change, message, value) => {
  const run = () => edit(nothing, 'eu', change);
  expect(run).toThrow(expect.objectContaining({ message: `notes: ${message}`, value }));
});

test('without an engine, texts are refused only once they are touched', () => {
  const bare = schema({ title: register(), notes: text() });
  const untouched = bare.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.put({ title: 1 })).state;
  expect(bare.read(untouched).value).toEqual({ title: 1, notes: '' });
  const written = edit(nothing, 'eu', (e) => e.put({ notes: 'x' })).state;
  for (const run of [
    () => bare.read(written),
    () => bare.edit(written, { actor: 'eu', now: 1 }, (e) => e.delete()),
    () => bare.edit(nothing, { actor: 'eu', now: 1 }, (e) => e.splice('notes', [])),
  ]) {
    expect(codeOf(run)).toBe('text-engine-missing text-engine');
  }
});

test('a text written again after its remains were collected meets none of its old numbers', () => {
  const first = edit(nothing, 'eu', (e) => e.put({ notes: 'first' })).state;
  const cleared = edit(first, 'eu', (e) => e.clear('notes')).state;
  const collected = collectedFrom(cleared);
  expect(collected.length).toBeLessThan(cleared.length);
  const second = edit(collected, 'eu', (e) => e.splice('notes', [{ at: 0, insert: 'second' }]));
  expect(notesOf(second.state)).toBe('second');
  expect(notesOf(merge(cleared, second.delta).state)).toBe('second');
});

/** What is left where everybody has seen all that the state has seen. */
function collectedFrom(state: Uint8Array): Uint8Array {
  const context = contextOf(state);
  const horizon = VersionVector.from([...context.actors()].map((actor) => [actor, context.last(actor)]));
  return compact(state, horizon).state;
}

/** The bytes by which a state grows in each of a hundred rounds. */
function growthOf(round: (state: Uint8Array, index: number) => Uint8Array): number {
  let state = round(nothing, 1);
  const first = state.length;
  for (let index = 2; index <= 101; index++) state = round(state, index);
  return (state.length - first) / 100;
}

const rewritten = (state: Uint8Array) =>
  edit(state, 'eu', (e) => e.splice('notes', [{ at: 0, insert: 'hello' }])).state;
const clearedFrom = (state: Uint8Array) => edit(state, 'eu', (e) => e.clear('notes')).state;

test('a text that is cleared, collected and written again does not grow', () => {
  expect(growthOf((state) => rewritten(collectedFrom(clearedFrom(state))))).toBeLessThan(0.1);
});

test('a text that is cleared and written again grows by what the README says, also where it is collected then', () => {
  const growth = growthOf((state) => collectedFrom(rewritten(clearedFrom(state))));
  expect(growth).toBeGreaterThan(28);
  expect(growth).toBeLessThan(34);
});

test('a text that is replaced by a put grows less', () => {
  const put = (state: Uint8Array, index: number) =>
    edit(state, 'eu', (e) => e.put({ notes: index % 2 === 0 ? 'hello' : 'wurld' })).state;
  expect(growthOf(put)).toBeLessThan(4);
});

test('a chunk that Yjs cannot read is malformed', () => {
  const { entries, ...rest } = decode(edit(nothing, 'eu', (e) => e.put({ notes: 'x' })).state);
  const broken = entries.map((entry) =>
    entry.tag === tagText ? { ...entry, payload: `${entry.payload.slice(0, 8)}\u00ff\u00ff\u0001` } : entry,
  );
  expect(codeOf(() => notesOf(encode({ ...rest, entries: broken })))).toBe('malformed text');
});
