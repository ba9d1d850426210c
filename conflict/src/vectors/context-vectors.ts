/** Contexts, told as runs of dots in any order, and as records that hold nothing else; and sealed bytes. */
import { type Ranges, see } from '../causal/seen.ts';
import { open, seal } from '../codec/seal.ts';
import { binaryOf } from '../codec/utf8.ts';
import { ConflictError } from '../errors.ts';
import { bytesOf, hexOf } from '../fuzz/hex.ts';
import { encode } from '../record/decoded-record.ts';
import type { VectorFile } from './vector-file.ts';

type Run = readonly [actor: string, first: number, last: number];

const contexts: readonly (readonly Run[])[] = [
  [['eu', 1, 1]],
  [['eu', 1, 127]],
  [['eu', 1, 128]],
  [['eu', 1, 2 ** 53 - 1]],
  [['eu', 2, 2]],
  [['eu', 2 ** 53 - 1, 2 ** 53 - 1]],
  [
    ['eu', 3, 3],
    ['eu', 1, 1],
  ],
  [
    ['eu', 1, 4],
    ['eu', 6, 9],
    ['eu', 200, 500],
    ['eu', 502, 502],
  ],
  [
    ['eu', 6, 9],
    ['eu', 1, 5],
  ],
  [
    ['eu', 2, 3],
    ['eu', 8, 9],
    ['eu', 4, 7],
  ],
  [
    ['us', 1, 2],
    ['eu', 5, 6],
    ['ap', 1, 1],
    ['u', 1, 1],
  ],
  [
    ['\u{1f30d}', 1, 1],
    ['\u{ffff}', 1, 1],
    ['é', 1, 1],
    ['z', 1, 1],
    ['a'.repeat(64), 1, 1],
  ],
];

export function contextVectors(): VectorFile {
  return {
    name: 'contexts',
    about:
      'dots: runs of first and last counter of an actor; hex: a record without entries that has seen just these',
    vectors: contexts.map((dots) => {
      const context = new Map<string, Ranges>();
      for (const [actor, first, last] of dots) see(context, binaryOf(actor) ?? '', [first, last]);
      return { dots, hex: hexOf(encode({ minor: 0, context, entries: [] })) };
    }),
  };
}

const contents = ['', '00', 'ff', '313233343536373839', '10010265750100', '00'.repeat(32), 'ff'.repeat(40)];

export function sealVectors(): VectorFile {
  const sealed = contents.map((content) => ({ content, sealed: hexOf(seal(bytesOf(content))) }));
  const broken = [
    '',
    '00',
    '000000',
    ...sealed.flatMap((each) => [flipped(each.sealed), each.sealed.slice(2)]),
  ];
  return {
    name: 'seals',
    about: 'content and sealed: bytes before and after; content null: bytes that are refused with the code',
    vectors: [...sealed, ...broken.map((hex) => ({ content: null, sealed: hex, code: codeOf(hex) }))],
  };
}

/** The lowest bit of the first byte. */
function flipped(hex: string): string {
  const bytes = bytesOf(hex);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return hexOf(bytes);
}

function codeOf(hex: string): string {
  try {
    open(bytesOf(hex));
  } catch (reason) {
    if (reason instanceof ConflictError) return reason.code;
    throw reason;
  }
  return 'opened';
}
