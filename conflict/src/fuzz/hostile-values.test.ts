/** Values that programs hand in by mistake or on purpose: each is stored exactly or refused with a typed error. */
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import type { Editor } from '../record/operations.ts';
import { merge } from '../record/merge.ts';
import { type EditContext, schema } from '../record/schema.ts';
import { validate } from '../record/validate.ts';
import { yjsText } from '../text/yjs-text.ts';
import { boundedCounter, counter, map, register, set, text } from '../types/field.ts';

const nothing: Uint8Array = new Uint8Array(0);
const type = schema(
  {
    title: register(),
    likes: counter(),
    stock: boundedCounter(),
    tags: set(),
    notes: text(),
    more: map(register()),
  },
  { text: yjsText },
);
const context: EditContext = { actor: 'eu', now: 1000 };

/** What a program without types can send. */
interface Untyped {
  readonly [operation: string]: (path: unknown, argument?: unknown) => void;
}

function untyped(editor: Editor): Untyped {
  return new Proxy(
    {},
    {
      get: (_, name) => (path: unknown, argument: unknown) =>
        Reflect.apply(Reflect.get(editor, name), editor, [path, argument]),
    },
  );
}

function edited(change: (editor: Untyped) => void, before = nothing) {
  const { state, delta } = type.edit(before, context, (editor) => change(untyped(editor)));
  validate(state);
  validate(delta);
  expect(merge(before, delta).state).toEqual(state);
  return type.read(state).value;
}

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (reason) {
    if (!(reason instanceof ConflictError)) throw reason;
    JSON.stringify(reason);
    return `${reason.code} ${reason.rule}`;
  }
  return 'taken';
}

const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;
const cyclicArray: unknown[] = [];
cyclicArray.push(cyclicArray);
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const revokedArray = Proxy.revocable([], {});
revokedArray.revoke();
const throwing = {
  get member(): never {
    throw new RangeError('not today');
  },
};
const trap = (handler: ProxyHandler<object>, target: object = {}) => new Proxy(target, handler);
const thrower = (): never => {
  throw new RangeError('not today');
};
// oxlint-disable-next-line no-sparse-arrays
const sparse = ['a', , 'c'];
class Money {
  readonly amount = 1;
}

const neverStored: readonly (readonly [string, unknown, string])[] = [
  ['undefined', undefined, 'invalid-value json'],
  ['a function', () => 1, 'invalid-value json'],
  ['a symbol', Symbol.iterator, 'invalid-value json'],
  ['a bigint', 2n ** 64n, 'invalid-value json'],
  ['NaN', Number.NaN, 'invalid-value finite-number'],
  ['infinity', Number.POSITIVE_INFINITY, 'invalid-value finite-number'],
  ['a date', new Date(0), 'invalid-value plain-object'],
  ['a map', new Map([[1, 2]]), 'invalid-value plain-object'],
  ['bytes', Uint8Array.of(1), 'invalid-value plain-object'],
  ['an instance', new Money(), 'invalid-value plain-object'],
  ['a boxed string', Object('x'), 'invalid-value plain-object'],
  ['an object that has toJSON', { toJSON: () => 1 }, 'invalid-value json'],
  ['a symbol as a name', { [Symbol.iterator]: 1 }, 'invalid-value plain-object'],
  ['a lone surrogate', '\ud800', 'invalid-value well-formed-unicode'],
  ['a lone surrogate as a name', { '\udc00': 1 }, 'invalid-value well-formed-unicode'],
  ['a hole', sparse, 'invalid-value json'],
  ['undefined inside', { a: [1, undefined] }, 'invalid-value json'],
  ['a cycle', cyclic, 'too-deep depth'],
  ['a cycle of arrays', cyclicArray, 'too-deep depth'],
  ['a getter that throws', throwing, 'invalid-value readable'],
  ['a revoked proxy', revoked.proxy, 'invalid-value readable'],
  ['a revoked proxy of an array', revokedArray.proxy, 'invalid-value readable'],
  ['a proxy that throws', trap({ ownKeys: thrower }), 'invalid-value readable'],
  ['an array of half a length', trap({ get: () => 1.5 }, []), 'invalid-value array-length'],
  [
    'an array of endless length',
    trap({ get: (_, name) => (name === 'length' ? 2 ** 50 : null) }, []),
    'too-large value-bytes',
  ],
];

describe('what no register holds', () => {
  test.each(neverStored)('%s', (_, value, wanted) => {
    expect(refusal(() => edited((e) => e['set']?.('title', value)))).toBe(wanted);
    expect(refusal(() => edited((e) => e['set']?.(['more', 'm'], value)))).toBe(wanted);
    expect(refusal(() => edited((e) => e['put']?.({ title: value })))).toBe(wanted);
    expect(refusal(() => edited((e) => e['put']?.({ more: { m: value } })))).toBe(wanted);
  });

  test('the error of a getter is the cause', () => {
    expect(() => edited((e) => e['set']?.('title', throwing))).toThrow(
      expect.objectContaining({ cause: expect.any(RangeError) }),
    );
  });
});

describe('what a register holds exactly', () => {
  const own = (json: string): unknown => JSON.parse(json);
  test.each<readonly [string, unknown]>([
    ['-0', -0],
    ['2^53', 2 ** 53],
    ['2^53 + 2', 2 ** 53 + 2],
    ['-2^53 + 1', -(2 ** 53) + 1],
    ['the least double', 5e-324],
    ['a pair of surrogates', '\u{1f30d}'],
    ['NUL', '\0'],
    [
      '__proto__ as a name',
      own('{"__proto__":{"polluted":true},"constructor":{"prototype":1},"toString":2}'),
    ],
    ['an empty name', { '': { '': 1 } }],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['a proxy that behaves', trap({}, { a: [1] })],
    ['a frozen array', Object.freeze([1, Object.freeze([])])],
  ])('%s', (_, value) => {
    const read = edited((e) => {
      e['set']?.('title', value);
      e['set']?.(['more', '__proto__'], value);
    });
    const plain: unknown = typeof value === 'object' ? JSON.parse(JSON.stringify(value)) : value;
    expect(read?.title).toEqual(plain);
    expect(Object.getOwnPropertyDescriptor(read?.more ?? {}, '__proto__')?.value).toEqual(plain);
    expect(Object.getPrototypeOf(read?.more)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('a value whose getters edit other records meanwhile', () => {
    const value = {
      before: 'x'.repeat(100),
      get inner() {
        return edited((e) => e['set']?.('title', 'inner'))?.title;
      },
      after: 'y',
    };
    expect(edited((e) => e['set']?.('title', value))?.title).toEqual({
      before: value.before,
      inner: 'inner',
      after: 'y',
    });
  });

  test('an array that grows while it is written', () => {
    const growing: unknown[] = [];
    growing.push({
      get item() {
        growing.push('late');
        return 1;
      },
    });
    expect(edited((e) => e['set']?.('title', growing))?.title).toEqual([{ item: 1 }]);
  });
});

const odd = neverStored.map(([name, value]) => [name, value] as const);

describe('elements of sets', () => {
  test.each([...odd, ['null', null] as const, ['an array', []] as const])('%s is refused', (name, value) => {
    const wanted = ['NaN', 'infinity'].includes(name)
      ? 'finite-number'
      : name === 'a lone surrogate'
        ? 'well-formed-unicode'
        : 'element';
    for (const operation of ['add', 'remove']) {
      expect(refusal(() => edited((e) => e[operation]?.('tags', ['a', value])))).toBe(
        `invalid-value ${wanted}`,
      );
    }
  });

  test('holes and what is no array are refused', () => {
    for (const elements of [sparse, undefined, null, 'ab', { length: 1, 0: 'a' }, new Set(['a'])]) {
      expect(refusal(() => edited((e) => e['add']?.('tags', elements)))).toMatch(/^invalid-value/);
    }
  });

  test('-0 is 0, and elements of different types stay apart', () => {
    const read = edited((e) => e['add']?.('tags', [-0, 0, '0', false, '', '__proto__', 2 ** 53, 1.5]));
    expect(read?.tags).toEqual([false, 0, 1.5, 2 ** 53, '', '0', '__proto__']);
  });
});

describe('names', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    '%s is no field unless declared',
    (name) => {
      expect(refusal(() => edited((e) => e['set']?.(name, 1)))).toBe('unknown-field declared');
      expect(refusal(() => edited((e) => e['set']?.(['title', name], 1)))).toBe('unknown-field declared');
      expect(refusal(() => edited((e) => e['put']?.(JSON.parse(`{"${name}":1}`))))).toBe(
        'unknown-field declared',
      );
      expect(edited((e) => e['set']?.(['more', name], 1))?.more).toStrictEqual(JSON.parse(`{"${name}":1}`));
    },
  );

  test('are texts of at most 512 bytes', () => {
    expect(edited((e) => e['set']?.(['more', 'é'.repeat(256)], 1))?.more).toEqual({ ['é'.repeat(256)]: 1 });
    expect(refusal(() => edited((e) => e['set']?.(['more', 'é'.repeat(257)], 1)))).toBe(
      'invalid-value name-bytes',
    );
    expect(refusal(() => edited((e) => e['set']?.(['more', '\ud800'], 1)))).toBe(
      'invalid-value well-formed-unicode',
    );
    for (const path of [
      undefined,
      null,
      5,
      {},
      ['more', 5],
      ['more', null],
      ['more', Symbol.iterator],
      Object.assign(Array(2), { 1: 'more' }),
    ]) {
      expect(refusal(() => edited((e) => e['set']?.(path, 1)))).toBe('invalid-argument path');
    }
    expect(refusal(() => edited((e) => e['set']?.([], 1)))).toBe('unknown-field declared');
  });
});

test('actors are texts of 1 to 64 bytes, and time is a number', () => {
  const write = (change: object) =>
    refusal(() => type.edit(nothing, { ...context, ...change }, (editor) => editor.set('title', 1)));
  for (const actor of ['', 'a'.repeat(65), '\ud800', undefined, null, 5, 5n, Symbol.iterator, {}, ['eu']]) {
    expect(write({ actor })).toBe('invalid-argument actor');
  }
  for (const actor of ['__proto__', 'constructor', 'é'.repeat(32), ' ', '\0'])
    expect(write({ actor })).toBe('taken');
  for (const now of [undefined, null, '5', 5n, Number.NaN, -1, 2 ** 48, new Date(5)]) {
    expect(write({ now })).toBe('invalid-argument now');
  }
  for (const floor of [-1, 0.5, '5', 5n, Number.NaN]) expect(write({ floor })).toBe('invalid-argument floor');
  for (const floor of [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1]) {
    expect(write({ floor })).toBe('counter-out-of-range dot');
  }
});

test('amounts are safe integers', () => {
  for (const amount of [undefined, null, '1', 1n, 0.5, Number.NaN, {}, [1], new Date(1)]) {
    expect(refusal(() => edited((e) => e['increment']?.('likes', amount)))).toBe('invalid-value integer');
    for (const operation of ['refill', 'spend']) {
      expect(refusal(() => edited((e) => e[operation]?.('stock', amount)))).toBe(
        'invalid-value non-negative-integer',
      );
    }
    const move = { to: 'us', amount };
    expect(refusal(() => edited((e) => e['moveRights']?.('stock', move)))).toBe(
      'invalid-value non-negative-integer',
    );
  }
  for (const amount of [2 ** 53, -(2 ** 53), 1e300]) {
    expect(refusal(() => edited((e) => e['increment']?.('likes', amount)))).toBe(
      'counter-out-of-range safe-integer',
    );
  }
  for (const to of [undefined, null, '', 5, 'eu', '\ud800', 'a'.repeat(65)]) {
    expect(refusal(() => edited((e) => e['moveRights']?.('stock', { to, amount: 1 })))).toBe(
      'invalid-value actor',
    );
  }
  for (const move of [undefined, null, 5]) {
    expect(refusal(() => edited((e) => e['moveRights']?.('stock', move)))).toBe('invalid-value object');
  }
  expect(edited((e) => e['increment']?.('likes', -0))?.likes).toBe(0);
});

test('splices lie within the text and hold text', () => {
  const { state } = type.edit(nothing, context, (editor) =>
    editor.splice('notes', [{ at: 0, insert: 'a\u{1f30d}b' }]),
  );
  const wrong: readonly unknown[] = [
    undefined,
    null,
    {},
    [undefined],
    Array(1),
    [null],
    ['x'],
    [{ at: '0' }],
    [{ at: Number.NaN }],
    [{ at: -1 }],
    [{ at: 0.5 }],
    [{ at: 2 }],
    [{ at: 5 }],
    [{ at: 0, delete: 9 }],
    [{ at: 0, delete: -1 }],
    [{ at: 0, insert: 5 }],
    [{ at: 0, insert: '\ud800' }],
    [{ at: 0, delete: 3 }, { at: 1 }],
  ];
  for (const splices of wrong) {
    expect(refusal(() => edited((e) => e['splice']?.('notes', splices), state))).toMatch(/^invalid-value/);
  }
  expect(edited((e) => e['splice']?.('notes', [{ at: 4, insert: '\0__proto__' }]), state)?.notes).toBe(
    'a\u{1f30d}b\0__proto__',
  );
});

describe('limits', () => {
  const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);
  const write = (limits: object, value: unknown, before = nothing) =>
    schema({ title: register(), more: map(register()) }, { limits }).edit(before, context, (editor) =>
      editor.set('title', value),
    );

  test('have defaults: 32 levels, 256 KiB of delta, 1 MiB of state', () => {
    expect(type.limits).toEqual({ depth: 32, deltaBytes: 256 * 1024, stateBytes: 1024 * 1024 });
    expect(refusal(() => write({}, nested(32)))).toBe('taken');
    expect(refusal(() => write({}, nested(33)))).toBe('too-deep depth');
    expect(refusal(() => write({}, nested(5000)))).toBe('too-deep depth');
    expect(refusal(() => write({}, 'x'.repeat(255 * 1024)))).toBe('taken');
    expect(refusal(() => write({}, 'x'.repeat(256 * 1024)))).toBe('too-large value-bytes');
    let state = nothing;
    const grow = (index: number) =>
      type.edit(state, context, (editor) => editor.set(['more', String(index)], 'x'.repeat(250 * 1024)))
        .state;
    for (let index = 0; index < 4; index++) state = grow(index);
    expect(refusal(() => grow(4))).toBe('too-large state-bytes');
  });

  test('can be set, each for itself', () => {
    expect(refusal(() => write({ depth: 1 }, [1]))).toBe('taken');
    expect(refusal(() => write({ depth: 1 }, [[1]]))).toBe('too-deep depth');
    expect(refusal(() => write({ depth: 256 }, nested(256)))).toBe('taken');
    expect(refusal(() => write({ deltaBytes: 100 }, 'x'.repeat(99)))).toBe('too-large value-bytes');
    expect(refusal(() => write({ deltaBytes: 100 }, 'x'.repeat(90)))).toBe('too-large delta-bytes');
    expect(refusal(() => write({ stateBytes: 100 }, 'x'.repeat(99)))).toBe('too-large state-bytes');
    expect(refusal(() => write({ deltaBytes: 500_000 }, 'x'.repeat(400_000)))).toBe('taken');
    for (const limits of [{ depth: 257 }, { depth: 0 }, { deltaBytes: 1.5 }, { stateBytes: Number.NaN }]) {
      expect(refusal(() => write(limits, 1))).toMatch(/^invalid-schema/);
    }
  });

  test('a small graph does not unfold into a huge tree', () => {
    let value: unknown = 'leaf';
    for (let level = 0; level < 30; level++) value = [value, value];
    expect(refusal(() => write({}, value))).toBe('too-large value-bytes');
  });

  test('a state above its limit can be made smaller', () => {
    const { state } = write({}, 'x'.repeat(1000));
    expect(refusal(() => write({ stateBytes: 500 }, 'x'.repeat(800), state))).toBe('taken');
    expect(refusal(() => write({ stateBytes: 500 }, 'x'.repeat(1001), state))).toBe('too-large state-bytes');
  });
});
