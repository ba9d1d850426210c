/** What a caller without types reads when something is missing or unfit: typed errors, in words that help. */
import { describe, expect, test } from 'vitest';
import { open, seal } from '../codec/seal.ts';
import { ConflictError } from '../errors.ts';
import { boundedCounter, counter, map, register } from '../types/field.ts';
import { merge } from './merge.ts';
import type { Editor } from './operations.ts';
import { schema } from './schema.ts';

const Product = schema({ title: register(), likes: counter(), stock: boundedCounter() });
const nothing: Uint8Array = new Uint8Array(0);
const context = { actor: 'eu', now: 1 };

function errorOf(run: () => unknown): ConflictError {
  try {
    run();
  } catch (reason) {
    if (reason instanceof ConflictError) return reason;
    throw reason;
  }
  return expect.fail('nothing was thrown');
}

/** As programs without types call it, or with what a file held. */
function untyped(callee: (...given: never[]) => unknown, given: readonly unknown[]): ConflictError {
  return errorOf(() => Reflect.apply(callee, Product, given));
}

const doNothing = (): void => undefined;
const edited = (change: (editor: Editor) => void) =>
  errorOf(() => Product.edit(nothing, context, change)).message;

test('bytes whose buffer was handed to another thread are refused, never taken for an absent record', () => {
  const { state } = Product.edit(nothing, context, (e) => e.set('title', 'x'));
  const gone = state.slice();
  structuredClone(gone, { transfer: [gone.buffer] });
  const refused = { code: 'invalid-argument' };
  expect(errorOf(() => Product.edit(gone, context, doNothing))).toMatchObject({ ...refused, rule: 'state' });
  expect(errorOf(() => Product.read(gone))).toMatchObject({ ...refused, rule: 'state' });
  expect(errorOf(() => merge(gone, state))).toMatchObject({ ...refused, rule: 'state' });
  expect(errorOf(() => merge(state, gone))).toMatchObject({ ...refused, rule: 'delta' });
  expect(errorOf(() => seal(gone))).toMatchObject({ ...refused, rule: 'bytes' });
  expect(errorOf(() => open(gone))).toMatchObject({ ...refused, rule: 'sealed' });
});

test('what getters throw never leaves bare', () => {
  const get = () => {
    throw new RangeError('broken');
  };
  const brokenAt = (name: string): object => Object.defineProperty({}, name, { get, enumerable: true });
  const refused = { code: 'invalid-argument', cause: { message: 'broken' } };
  expect(errorOf(() => Product.edit(nothing, context, (e) => e.put(brokenAt('title'))))).toMatchObject(
    refused,
  );
  expect(errorOf(() => Product.edit(nothing, context, () => brokenAt('then')))).toMatchObject(refused);
});

describe('missing arguments', () => {
  test.each([[[]], [[null]], [['title']], [[7]]])('schema(...%j)', (given) => {
    expect(untyped(schema, given).code).toBe('invalid-schema');
  });

  test.each([[null], ['last-writer-wins']])('options of a schema: %j', (options) => {
    expect(untyped(schema, [{ title: register() }, options])).toMatchObject({
      code: 'invalid-schema',
      rule: 'options',
    });
  });

  test.each([[[]], [[null]], [['register']]])('map(...%j)', (given) => {
    expect(untyped(map, given)).toMatchObject({ code: 'invalid-schema', rule: 'map' });
  });

  test.each([
    [[nothing], 'function'],
    [[nothing, context], 'function'],
    [[nothing, context, {}], 'function'],
    [[nothing, null, doNothing], 'context'],
    [[nothing, 'eu', doNothing], 'context'],
    [[nothing, {}, doNothing], 'actor'],
  ])('edit(...%j)', (given: readonly unknown[], rule) => {
    // oxlint-disable-next-line typescript/unbound-method -- it is applied to its object
    const error = untyped(Product.edit, given);
    expect(error).toMatchObject({ code: 'invalid-argument', rule });
  });

  test.each([null, undefined, 'x', {}])('restore takes a sibling, not %j', (sibling) => {
    const change = (editor: Editor): void =>
      // oxlint-disable-next-line typescript/unbound-method -- it is applied to its object
      Reflect.apply(editor.restore, editor, ['title', sibling]);
    expect(errorOf(() => Product.edit(nothing, context, change))).toMatchObject({
      code: 'invalid-value',
      field: 'title',
      rule: 'sibling',
    });
  });
});

describe('messages are made of the code, the rule, the limit and the value', () => {
  test.each([
    [undefined, 'invalid-value (json), value a value of type undefined'],
    [{ a: undefined }, 'invalid-value (json), value a value of type undefined'],
    [5n, 'invalid-value (json), value a value of type bigint'],
    [Number.NaN, 'invalid-value (finite-number), value NaN'],
    ['\ud800', 'invalid-value (well-formed-unicode), value \ud800'],
    [new Date(0), 'invalid-value (plain-object), value an object'],
  ])('of the value %o', (value, message) => {
    expect(edited((e) => e.set('title', value))).toBe(`title: ${message}`);
  });

  test('of amounts', () => {
    expect(edited((e) => e.increment('likes', 0.5))).toBe('likes: invalid-value (integer), value 0.5');
    expect(edited((e) => e.spend('stock', 3))).toBe('stock: insufficient-rights (rights), limit 0, value 3');
  });
});
