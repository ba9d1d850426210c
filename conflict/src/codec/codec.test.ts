import { binaryOfBytes, bytesOf } from './bytes.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ConflictError } from '../errors.ts';
import { beginReading, readNumber } from './byte-reader.ts';
import { hash128, hashText } from './hash.ts';
import { namesOf, pathOf } from './path.ts';
import { open, seal } from './seal.ts';
import { binaryOf, textOf } from './utf8.ts';
import { Place } from '../record/place.ts';
import { binaryOfValue, readWhole } from './value.ts';
import { smallVarint, varint, varintLength, writeVarint } from './varint.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytesOfText = (text: string) => Uint8Array.from(Buffer.from(text, 'utf8'));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ConflictError) return error.code;
    throw error;
  }
  return 'none';
}

describe('UTF-8', () => {
  test('is what the platform makes of it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(binaryOf(text)).toBe(Buffer.from(text, 'utf8').toString('latin1'));
        expect(textOf(binaryOf(text) ?? '')).toBe(text);
      }),
    );
    const long = bytesOfText('aé€😀'.repeat(5000));
    expect(textOf(binaryOfBytes(long))).toBe('aé€😀'.repeat(5000));
  });

  test('refuses lone surrogates, and bytes that the platform refuses', () => {
    for (const text of ['\ud800', 'a\udc00b', '\udc00\ud800']) expect(binaryOf(text)).toBeNull();
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const byte = fc.constantFrom(
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
      fc.property(fc.array(byte, { maxLength: 6 }), (values) => {
        const binary = String.fromCharCode(...values);
        let wanted: string | null;
        try {
          wanted = strict.decode(Uint8Array.from(values));
        } catch {
          wanted = null;
        }
        if (wanted === null) expect(codeOf(() => textOf(binary))).toBe('malformed');
        else expect(textOf(binary)).toBe(wanted);
      }),
      { numRuns: 2000 },
    );
  });
});

test('integers have one form', () => {
  const numberIn = (bytes: Uint8Array) => {
    beginReading(binaryOfBytes(bytes));
    return readNumber();
  };
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const bytes = bytesOf(varint(value));
      expect(smallVarint(bytes, 0)).toBe(value < 2 ** 28 ? value : -1);
      expect(numberIn(bytes)).toBe(value);
      const small = value % 2 ** (value % 29);
      const written = bytesOf(varint(small));
      const room = new Uint8Array(8);
      expect(writeVarint(room, 0, small)).toBe(written.length);
      expect(room.subarray(0, written.length)).toEqual(written);
      expect(varintLength(small)).toBe(written.length);
    }),
  );
  for (const bytes of [
    [0x80],
    [0x80, 0x00],
    [255, 255, 255, 255, 255, 255, 255, 31],
    Array<number>(9).fill(0x80),
  ]) {
    expect(codeOf(() => numberIn(Uint8Array.from(bytes)))).toBe('malformed');
  }
});

test('the hash is MurmurHash3 x86 128', () => {
  const first = bytesOfText('I will not buy this record, it is scratched.');
  expect(hashText(hash128(first))).toBe('a0a9683b25ac5e40d9af2895890dddf5');
  const second = bytesOfText("I will not buy this tobacconist's, it is scratched.");
  expect(hashText(hash128(second))).toBe('9b5b7ba2ef3f7866889adeaf00f3f98e');
});

describe('sealed bytes', () => {
  test('come back, and carry the CRC-32C of RFC 3720', () => {
    expect(hex(seal(bytesOfText('123456789')).slice(9))).toBe('e3069283');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(open(seal(bytes))).toEqual(bytes);
      }),
    );
  });

  test('are refused with any bit flipped, and truncated', () => {
    const sealed = seal(bytesOfText('a state of a record'));
    for (let bit = 0; bit < 8 * sealed.length; bit += 1) {
      const flipped = sealed.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(codeOf(() => open(flipped))).toBe('checksum-mismatch');
    }
    for (let length = 0; length < sealed.length; length += 1) {
      expect(codeOf(() => open(sealed.subarray(0, length)))).toBe('checksum-mismatch');
    }
  });
});

test('paths and names are each other in reverse', () => {
  expect(namesOf('a.b\\.c.d\\\\')).toEqual(['a', 'b.c', 'd\\']);
  expect(codeOf(() => namesOf('a\\b'))).toBe('invalid-argument');
  expect(codeOf(() => namesOf('a\\'))).toBe('invalid-argument');
  fc.assert(
    fc.property(fc.array(fc.string({ unit: fc.constantFrom('a', '.', '\\') }), { minLength: 1 }), (names) => {
      expect(namesOf(pathOf(names))).toEqual(names);
    }),
  );
});

describe('values', () => {
  const scope = { at: new Place('f'), maxDepth: 32, maxBytes: 1000 };
  const encode = (value: unknown, limits = scope) => binaryOfValue(value, limits);
  const decode = (binary: string) => readWhole(binary, 0);
  const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

  test('come back as they were, -0 too, members sorted', () => {
    expect(Object.is(decode(encode(-0)), -0)).toBe(true);
    expect(JSON.stringify(decode(encode({ b: 1, a: [true, null], é: 2 })))).toBe(
      '{"a":[true,null],"b":1,"é":2}',
    );
    expect(encode({ b: 1, a: 2 })).toEqual(encode({ a: 2, b: 1 }));
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const bytes = encode(value, { ...scope, maxBytes: 1e6 });
        expect(decode(bytes)).toEqual(value);
        expect(encode(decode(bytes), { ...scope, maxBytes: 1e6 })).toEqual(bytes);
      }),
    );
  });

  test.each([0, 31, 32, 2 ** 31, 2 ** 53 - 1, -1, -(2 ** 53 - 1), 2 ** 53, 1e300, 0.1, -0.5, 5e-324])(
    'the number %d is exact',
    (value) => {
      expect(decode(encode(value))).toBe(value);
    },
  );

  test('any member name is data and touches no prototype', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":2,"toString":3}');
    const back = decode(encode(value));
    expect(JSON.stringify(back)).toBe('{"__proto__":{"polluted":1},"constructor":2,"toString":3}');
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
    ['bytes', new Uint8Array(1)],
    ['a bigint', 2n ** 53n + 1n],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['a name that is a symbol', { [Symbol('s')]: 1 }],
    ['a lone surrogate', 'a\ud800'],
    ['a lone surrogate in a name', { '\udc00': 1 }],
  ];
  test.each(refused)('%s is refused', (_name, value) => {
    expect(codeOf(() => encode(value))).toBe('invalid-value');
  });

  test('depth, cycles and graphs that unfold without end stop at the limits', () => {
    expect(codeOf(() => encode(nested(32)))).toBe('none');
    expect(codeOf(() => encode(nested(33)))).toBe('too-deep');
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(codeOf(() => encode(cycle))).toBe('too-deep');
    let wide: unknown = 1;
    for (let level = 0; level < 30; level += 1) wide = [wide, wide, wide, wide];
    expect(codeOf(() => encode(wide))).toBe('too-large');
    expect(encode('x'.repeat(997)).length).toBe(1000);
    expect(codeOf(() => encode('x'.repeat(998)))).toBe('too-large');
  });

  test('longer forms, lies and nests are refused', () => {
    const bad = [
      [0x04, 0x05],
      [0x05, 0x00],
      [0x03, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0],
      [0x03, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
      [0x06, 0x01, 0x41],
      [0x41],
      [0x07, 0xff, 0xff, 0xff, 0x7f],
      [0x92, 0x01, 0x62, 0x00, 0x01, 0x61, 0x00],
      [0x92, 0x01, 0x61, 0x00, 0x01, 0x61, 0x00],
      Array<number>(10_000).fill(0x81),
    ];
    for (const bytes of bad) expect(codeOf(() => decode(String.fromCharCode(...bytes)))).toBe('malformed');
    expect(codeOf(() => decode('\u00a0'))).toBe('newer-format');
  });
});
