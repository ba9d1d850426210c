/** The walk finds valid what the definition finds valid, with the same stamp, or declines; and seldom declines. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConflictError, counter, merge, register, schema, set } from '../index.ts';
import { tagMark, tagRegister } from '../codec/format.ts';
import { encode } from './decoded-record.ts';
import { declined, quickCheck } from './quick-check.ts';
import { fullCheck, validate } from './validate.ts';

const type = schema(
  { a: register(), bc: register(), deep: register(), n: counter(), tags: set() },
  { deletes: 'last-writer-wins' },
);
const nothing: Uint8Array = new Uint8Array(0);
const actors = ['eu~1', 'us~2', 'eu~10', 'ap'];

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    false,
    -0,
    0,
    31,
    32,
    -1,
    -32,
    0.5,
    1e300,
    2 ** 28,
    -(2 ** 40),
    2 ** 53,
  ),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, 1, 63, 64, 200, 3000).map((length) => 'x'.repeat(length)),
  fc.string({ maxLength: 70 }),
);
const step = fc.record({
  actor: fc.constantFrom(...actors),
  field: fc.constantFrom('a', 'bc', 'deep', 'n', 'tags', 'clear', 'delete'),
  value: scalar,
  now: fc.nat({ max: 5 }),
  isMerge: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Deltas and states of a few writers who see each other's work now and then. */
function recordsOf(steps: readonly Step[]): readonly Uint8Array[] {
  const states = new Map<string, Uint8Array>();
  const made: Uint8Array[] = [];
  for (const { actor, field, value, now, isMerge } of steps) {
    const before = states.get(actor) ?? nothing;
    const { state, delta } = type.edit(before, { actor, now }, (e) => {
      if (field === 'n') e.increment('n', 3);
      else if (field === 'tags') e.add('tags', ['one']);
      else if (field === 'clear') e.clear('a');
      else if (field === 'delete') e.delete();
      else e.set(field, value);
    });
    const other = made.at(-3) ?? nothing;
    states.set(actor, isMerge ? merge(state, other).state : state);
    made.push(delta, states.get(actor) ?? nothing);
  }
  return made;
}

function checked(check: (bytes: Uint8Array) => number | null, bytes: Uint8Array): unknown {
  try {
    return check(bytes);
  } catch (reason) {
    if (reason instanceof ConflictError) return reason.code;
    throw reason;
  }
}

function expectAgreement(bytes: Uint8Array): boolean {
  const quick = quickCheck(bytes);
  if (quick === declined) return false;
  expect(quick).toBe(checked(fullCheck, bytes));
  return true;
}

const histories = fc.array(step, { minLength: 3, maxLength: 14 });

test('what is written is found valid with the stamp that the definition finds', () => {
  fc.assert(
    fc.property(histories, (steps) => {
      for (const bytes of recordsOf(steps)) {
        expectAgreement(bytes);
        expect(validate(bytes)).toBe(fullCheck(bytes));
      }
    }),
    { numRuns: 300 },
  );
});

test('of bytes that were changed anywhere none is found valid that is not', () => {
  let agreed = 0;
  fc.assert(
    fc.property(
      histories,
      fc.nat(),
      fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 3 }),
      (steps, pick, changes) => {
        const made = recordsOf(steps);
        const bytes = Uint8Array.from(made[pick % made.length] ?? nothing);
        for (const [at, byte] of changes) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        if (expectAgreement(bytes)) agreed++;
        for (let length = 0; length < bytes.length; length += 3) expectAgreement(bytes.subarray(0, length));
      },
    ),
    { numRuns: 5000 },
  );
  expect(agreed).toBeGreaterThan(200);
});

test('each byte of a delta in every form is judged as the definition judges it', () => {
  const { state } = type.edit(nothing, { actor: 'us~2', now: 70_000 }, (e) => {
    e.set('a', 0.5);
    e.set('bc', 'words');
  });
  const { delta } = type.edit(state, { actor: 'eu~1', now: 9 }, (e) => {
    e.set('a', 40);
    e.set('deep', -7);
  });
  for (let at = 0; at < delta.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const changed = Uint8Array.from(delta);
      changed[at] = byte;
      expectAgreement(changed);
    }
  }
});

describe('what breaks one rule is declined', () => {
  const stamp = '\u0000\u0000\u0000\u0000\u0000\u0007';
  const entry = (path: string, tag: number, value: string, dot = 1) => {
    const key = path + String.fromCharCode(tag);
    return { key, path, tag, sub: '', actor: 'eu', counter: dot, payload: stamp + value };
  };
  const bytesWith = (...entries: ReturnType<typeof entry>[]) =>
    encode({ minor: 0, context: new Map([['eu', [1, 2]]]), entries });
  const five = '\u0003\u0040\u0014\u0000\u0000\u0000\u0000\u0000\u0000';
  const siblings = bytesWith(entry('a', tagRegister, '\u0021'), entry('a', tagRegister, '\u0022', 2));
  const [head, one] = [7, 12];
  const turned = Uint8Array.from([
    ...siblings.subarray(0, head),
    ...siblings.subarray(head + one),
    ...siblings.subarray(head, head + one),
  ]);

  test.each(
    Object.entries({
      'an integer as a double': bytesWith(entry('a', tagRegister, five)),
      'a short text with a long head': bytesWith(entry('a', tagRegister, '\u0006\u0001x')),
      'a mark of a field': bytesWith(entry('a', tagMark, '')),
      'a field without a name': bytesWith(entry('', tagRegister, '\u0021')),
      'a name that is too long': bytesWith(entry('n'.repeat(513), tagRegister, '\u0021')),
      'siblings out of order': turned,
    }),
  )('%s', (_, bytes) => {
    expect(checked(fullCheck, bytes)).toBe('malformed');
    expect(quickCheck(bytes)).toBe(declined);
  });

  test('and without the fault it is not', () => {
    for (const bytes of [siblings, bytesWith(entry('n'.repeat(512), tagRegister, '\u0021'))]) {
      expect(quickCheck(bytes)).toBe(7);
      expect(fullCheck(bytes)).toBe(7);
    }
  });
});

describe('plain registers are not declined', () => {
  const edit = (state: Uint8Array, actor: string, values: object) =>
    type.edit(state, { actor, now: 1000 }, (e) => {
      for (const [field, value] of Object.entries(values)) e.set([field], value);
    });
  const first = edit(nothing, 'eu~1', { a: 'one', bc: 2, deep: 0.25 });
  const second = edit(first.state, 'us~2', { a: null, deep: 1_000 });
  const beside = edit(first.state, 'ap', { a: 'y'.repeat(500) });
  const both = merge(second.state, beside.delta).state;

  test.each(Object.entries({ first, second, beside, last: edit(both, 'ap', { a: -5 }) }))('%s', (_, made) => {
    expect(quickCheck(made.state)).toBe(fullCheck(made.state));
    expect(quickCheck(made.delta)).toBe(fullCheck(made.delta));
  });
});
