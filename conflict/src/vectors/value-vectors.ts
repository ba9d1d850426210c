/** Values of registers and their one encoding. */
import { Place } from '../record/place.ts';
import { bytesOf } from '../codec/bytes.ts';
import { binaryOfValue } from '../codec/value.ts';
import { hexOf } from '../fuzz/hex.ts';
import type { VectorFile } from './vector-file.ts';

const scope = { at: new Place(), maxDepth: 256, maxBytes: Infinity };

function nested(depth: number): unknown {
  return depth === 0 ? null : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) };
}

const values: readonly unknown[] = [
  null,
  false,
  true,
  0,
  1,
  31,
  32,
  127,
  128,
  300,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
  -1,
  -31,
  -128,
  -(2 ** 53) + 1,
  -0,
  0.1,
  -1.5,
  5e-324,
  1.7976931348623157e308,
  2 ** 53,
  -(2 ** 53),
  1e21,
  '',
  'a',
  'x'.repeat(63),
  'x'.repeat(64),
  'y'.repeat(200),
  'é',
  'é€\u{1f30d}',
  'é'.repeat(32),
  '\0\u0001"\\\n',
  [],
  [1, 'two', null, [true]],
  Array.from({ length: 15 }, (_, index) => index),
  Array.from({ length: 16 }, (_, index) => index),
  Array.from({ length: 130 }, () => 0),
  {},
  { b: 1, a: 2, '': 3 },
  { é: 1, z: 2, '\u{1f30d}': 3, '\u{ffff}': 4 },
  JSON.parse('{"__proto__":{"a":1},"constructor":2,"toString":[]}'),
  Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`m${index}`, index])),
  Object.fromEntries(Array.from({ length: 16 }, (_, index) => [`m${index}`, index])),
  { ['n'.repeat(130)]: 1 },
  nested(256),
];

export function valueVectors(): VectorFile {
  return {
    name: 'values',
    about: 'value: JSON; hex: its encoding, which is the only one',
    vectors: values.map((value) => ({ value, hex: hexOf(bytesOf(binaryOfValue(value, scope))) })),
  };
}
