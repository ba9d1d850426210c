/** An edit happens as a whole, before its function returns, or not at all. */
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import { counter, map, register, set } from '../types/field.ts';
import type { Editor } from './operations.ts';
import { schema } from './schema.ts';

const Product = schema({
  title: register(),
  tags: set(),
  likes: counter(),
  address: map({ city: register(), zip: register() }),
});
const nothing: Uint8Array = new Uint8Array(0);
const context = { actor: 'eu', now: 1_700_000_000_000 };

function errorOf(run: () => unknown): ConflictError {
  try {
    run();
  } catch (reason) {
    if (reason instanceof ConflictError) return reason;
    throw reason;
  }
  return expect.fail('nothing was thrown');
}

function caughtBy(run: () => void): unknown {
  try {
    run();
  } catch (reason) {
    return reason;
  }
  return null;
}

describe('an edit whose function returns a promise', () => {
  test('is refused, and what comes after the first await is refused as well', async () => {
    const late: unknown[] = [];
    const change: (editor: Editor) => unknown = async (editor) => {
      editor.set('title', 'Lamp');
      await Promise.resolve();
      late.push(caughtBy(() => editor.set('title', 'Desk')));
    };
    const error = errorOf(() => Product.edit(nothing, context, change));
    expect(error).toMatchObject({ code: 'invalid-argument', rule: 'synchronous' });
    await expect.poll(() => late).toMatchObject([{ code: 'invalid-argument', rule: 'open-edit' }]);
  });

  test('leaves no rejection behind', async () => {
    const unhandled: unknown[] = [];
    const note = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', note);
    const change: (editor: Editor) => unknown = async (editor) => {
      await Promise.resolve();
      editor.set('title', 'Desk');
    };
    expect(errorOf(() => Product.edit(nothing, context, change)).rule).toBe('synchronous');
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });
});

test('what a thenable throws is a fault of the argument, and it is asked once', () => {
  const throwing = new Proxy({}, { get: () => () => expect.fail('on its way') });
  let asked = 0;
  const get = (_: object, name: string | symbol) =>
    name === 'then' && ++asked === 1 ? () => undefined : undefined;
  const changing = new Proxy({}, { get });
  for (const result of [throwing, changing])
    expect(errorOf(() => Product.edit(nothing, context, () => result)).rule).toBe('synchronous');
  expect(asked).toBe(1);
});

test('what is written while its value deletes the record creates it again', () => {
  const Last = schema({ title: register() }, { deletes: 'last-writer-wins' });
  const { state } = Last.edit(nothing, context, (e) => e.set('title', 'Lamp'));
  const deleting = (e: Editor) => ({
    get a() {
      e.delete();
      return 1;
    },
  });
  const { state: after } = Last.edit(state, { ...context, now: context.now + 1 }, (e) =>
    e.set('title', deleting(e)),
  );
  expect(Last.read(after).value).toEqual({ title: { a: 1 } });
});

test('an editor has its operations, also when they are taken from it or it is wrapped', () => {
  const { state } = Product.edit(nothing, context, (editor) => {
    const put = Reflect.get(editor, 'set');
    put('title', 'Lamp');
    const above: Editor = Object.create(editor);
    above.add('tags', ['new']);
    new Proxy(editor, {}).increment('likes', 1);
  });
  expect(Product.read(state).value).toMatchObject({ title: 'Lamp', tags: ['new'], likes: 1 });
});

describe('an editor that was kept', () => {
  const operations: readonly (readonly [string, (editor: Editor) => void])[] = [
    ['set', (e) => e.set('title', 'x')],
    [
      'restore',
      (e) => e.restore('title', { value: 1, at: 1, logical: 0, actor: 'a', counter: 1, shown: true }),
    ],
    ['clear', (e) => e.clear('title')],
    ['increment', (e) => e.increment('likes', 1)],
    ['add', (e) => e.add('tags', ['x'])],
    ['remove', (e) => e.remove('tags', ['x'])],
    ['spend', (e) => e.spend('stock', 0)],
    ['refill', (e) => e.refill('stock', 0)],
    ['moveRights', (e) => e.moveRights('stock', { to: 'us', amount: 0 })],
    ['splice', (e) => e.splice('notes', [])],
    ['put', (e) => e.put({})],
    ['delete', (e) => e.delete()],
  ];

  test.each(operations)('refuses %s after the edit', (_name, operation) => {
    const kept: Editor[] = [];
    Product.edit(nothing, context, (editor) => kept.push(editor));
    for (const editor of kept) expect(errorOf(() => operation(editor)).rule).toBe('open-edit');
    expect(kept.length).toBe(1);
  });

  test('refuses operations also where the edit has failed', () => {
    const kept: Editor[] = [];
    const failing = (editor: Editor) => {
      kept.push(editor);
      throw new RangeError('mine');
    };
    expect(() => Product.edit(nothing, context, failing)).toThrow(RangeError);
    for (const editor of kept) expect(errorOf(() => editor.delete()).rule).toBe('open-edit');
  });
});

describe('an operation that throws', () => {
  test('ends the edit also where its error is caught on the way', () => {
    const half = { title: 'Lamp', tags: ['new'], address: { city: 'Rome', zip: 5n } };
    const error = errorOf(() =>
      Product.edit(nothing, context, (editor) => {
        expect(errorOf(() => editor.put(half)).code).toBe('invalid-value');
        editor.set('title', 'Desk');
      }),
    );
    expect(error).toMatchObject({ code: 'invalid-value', field: 'address.zip' });
  });

  test('is told by the first error of several', () => {
    const error = errorOf(() =>
      Product.edit(nothing, context, (editor) => {
        caughtBy(() => editor.increment('likes', 0.5));
        caughtBy(() => editor.clear(['nope']));
      }),
    );
    expect(error.field).toBe('likes');
  });

  test('gives way to what the function itself throws', () => {
    const change = (editor: Editor) => {
      caughtBy(() => editor.increment('likes', 0.5));
      throw new RangeError('mine');
    };
    expect(() => Product.edit(nothing, context, change)).toThrow(RangeError);
  });
});

test('an edit says whether the record existed before', () => {
  const created = Product.edit(nothing, context, (editor) => editor.set('title', 'Lamp'));
  const same = Product.edit(created.state, context, () => undefined);
  const deleted = Product.edit(created.state, context, (editor) => editor.delete());
  const again = Product.edit(deleted.state, context, (editor) => editor.set('title', 'Desk'));
  expect([created, same, deleted, again].map(({ existed }) => existed)).toEqual([false, true, true, false]);
});
