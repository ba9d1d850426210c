import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { hash128 } from './hash128.ts';
import { checkJson, decodeJson, encodeJson } from './json.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const limit = 1000;

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConflictError) return error.code;
    throw error;
  }
  return 'none';
}

test('UTF-8 is what the platform makes of it', () => {
  const point = fc.oneof(
    fc.integer({ min: 0, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0x10ffff }),
    fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000),
  );
  fc.assert(
    fc.property(fc.array(point, { maxLength: 50 }), (points) => {
      const text = String.fromCodePoint(...points);
      const bytes = encodeUtf8(text);
      expect(hex(bytes)).toBe(Buffer.from(text, 'utf8').toString('hex'));
      expect(decodeUtf8(bytes, 0, bytes.length)).toBe(text);
    }),
  );
  const long = 'aé€😀'.repeat(5000);
  const bytes = encodeUtf8(long);
  expect(decodeUtf8(bytes, 0, bytes.length)).toBe(long);
});

test('bytes are UTF-8 exactly where the platform says so', () => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const interesting = fc.constantFrom(
    0x41,
    0x80,
    0xbf,
    0xc0,
    0xc2,
    0xe0,
    0xed,
    0xa0,
    0x9f,
    0xf0,
    0xf4,
    0x90,
    0xff,
  );
  fc.assert(
    fc.property(fc.array(interesting, { maxLength: 6 }), (values) => {
      const bytes = Uint8Array.from(values);
      let wanted: string | null = null;
      try {
        wanted = strict.decode(bytes);
      } catch {
        wanted = null;
      }
      if (wanted === null) expect(codeOf(() => decodeUtf8(bytes, 0, bytes.length))).toBe('malformed');
      else expect(decodeUtf8(bytes, 0, bytes.length)).toBe(wanted);
    }),
    { numRuns: 2000 },
  );
});

test('integers have one form', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const writer = new ByteWriter(1);
      writer.integer(value);
      expect(new ByteReader(writer.finish()).integer()).toBe(value);
    }),
  );
  for (const bytes of [[0x80], [0x80, 0x00], [255, 255, 255, 255, 255, 255, 255, 31], Array(9).fill(0x80)]) {
    expect(codeOf(() => new ByteReader(Uint8Array.from(bytes)).integer())).toBe('malformed');
  }
});

test('the hash is MurmurHash3 x86 128', () => {
  const bytes = encodeUtf8('I will not buy this record, it is scratched.');
  expect(hex(hash128(bytes))).toBe('a0a9683b25ac5e40d9af2895890dddf5');
  const other = encodeUtf8("I will not buy this tobacconist's, it is scratched.");
  expect(hex(hash128(other))).toBe('9b5b7ba2ef3f7866889adeaf00f3f98e');
  expect(hex(hash128(new Uint8Array(0)))).toBe('0'.repeat(32));
});

const text = (value: unknown) => Buffer.from(encodeJson(value, 'f', limit)).toString();
const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('JSON', () => {
  test('is canonical and comes back', () => {
    expect(text({ b: [1, -0, 1e21, 'é\n'], a: null, '': true })).toBe(
      '{"":true,"a":null,"b":[1,0,1e+21,"é\\n"]}',
    );
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 4 }), (value) => {
        const bytes = encodeJson(value, 'f', 100_000);
        expect(decodeJson(bytes)).toEqual(JSON.parse(JSON.stringify(value)));
        checkJson(bytes);
      }),
    );
  });

  test('takes any key as data and pollutes nothing', () => {
    const value = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"toString":3}');
    const back = decodeJson(encodeJson(value, 'f', limit));
    expect(JSON.stringify(back)).toBe('{"__proto__":{"polluted":1},"constructor":2,"toString":3}');
    expect(Object.hasOwn({}, 'polluted')).toBe(false);
    expect('polluted' in {}).toBe(false);
  });

  const refused: readonly (readonly [string, unknown])[] = [
    ['NaN', Number.NaN],
    ['infinity', Infinity],
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a hole', Array(2)],
    ['a Date', new Date(0)],
    ['a Map', new Map()],
    ['a bigint', 2n ** 53n + 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a key that is a symbol', { [Symbol('s')]: 1 }],
    ['a lone surrogate', 'a\uD800'],
    ['a lone surrogate in a key', { '\uDC00': 1 }],
  ];
  test.each(refused)('refuses %s', (_name, value) => {
    expect(codeOf(() => encodeJson(value, 'f', limit))).toBe('invalid-value');
  });

  test('stops at 32 levels, at cycles, and at graphs that unfold without end', () => {
    expect(codeOf(() => encodeJson(nested(32), 'f', limit))).toBe('none');
    expect(codeOf(() => encodeJson(nested(33), 'f', limit))).toBe('too-deep');
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(codeOf(() => encodeJson(cycle, 'f', limit))).toBe('too-deep');
    let wide: unknown = 1;
    for (let level = 0; level < 30; level += 1) wide = [wide, wide, wide, wide];
    expect(codeOf(() => encodeJson(wide, 'f', limit))).toBe('too-large');
  });

  test('counts bytes exactly', () => {
    expect(
      encodeJson(
        Array.from({ length: 200 }, () => [1]),
        'f',
        801,
      ).length,
    ).toBe(801);
    expect(
      codeOf(() =>
        encodeJson(
          Array.from({ length: 200 }, () => [1]),
          'f',
          800,
        ),
      ),
    ).toBe('too-large');
    expect(encodeJson('é'.repeat(10), 'f', 22).length).toBe(22);
    expect(codeOf(() => encodeJson('é'.repeat(10), 'f', 21))).toBe('too-large');
  });

  test.each([
    '{"b":1,"a":2}',
    '[1, 2]',
    '1.0',
    '-0',
    '"\\u0041"',
    '{"a":1,"a":1}',
    '[',
    '['.repeat(40) + ']'.repeat(40),
  ])('refuses the bytes %s', (json) => {
    expect(codeOf(() => checkJson(encodeUtf8(json)))).toBe('malformed');
  });
});
