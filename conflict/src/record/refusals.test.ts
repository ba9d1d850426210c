/** What a caller without types reads when something is missing or unfit: typed errors, in words that help. */
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import { boundedCounter, counter, map, register } from '../types/field.ts';
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

describe('messages', () => {
  test.each([
    [undefined, 'undefined is no value; store null, or clear the field'],
    [{ a: undefined }, 'undefined is no value; store null, or clear the field'],
    [5n, 'JSON cannot hold this; null stands for nothing, a bigint or a symbol is stored as a string'],
    [Number.NaN, 'JSON knows neither NaN nor infinity; store null or a string in its place'],
    ['\ud800', 'the text holds half a character (a lone surrogate), which UTF-8 cannot store'],
    [
      new Date(0),
      'only plain objects and arrays are stored; make a Date a string or a number, a Map an object',
    ],
  ])('of the value %o', (value, message) => {
    expect(edited((e) => e.set('title', value))).toBe(`title: ${message}`);
  });

  test('of amounts', () => {
    expect(edited((e) => e.increment('likes', 0.5))).toBe('likes: an amount has to be an integer');
    expect(edited((e) => e.refill('stock', -1))).toBe('stock: an amount has to be a non-negative integer');
  });
});
