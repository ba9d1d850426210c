/**
 * Changes to bytes by somebody who does not know what they mean: a bad disk, a cut connection, a buffer used twice.
 * The input is never written to.
 */
import type { Random } from './random.ts';

type Mutation = (bytes: Uint8Array, random: Random, other: Uint8Array) => Uint8Array;

const interesting = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0xf5, 0xf6, 0xf7, 0xf8, 0xfb, 0xfd, 0xfe, 0x10, 0x40,
] as const;

const mutations: readonly [Mutation, ...Mutation[]] = [
  flipBits,
  flipBits,
  setByte,
  setByte,
  (bytes, random) => bytes.slice(0, random.below(bytes.length)),
  (bytes, random) => bytes.slice(random.below(bytes.length)),
  (bytes, random, other) =>
    joined(bytes.subarray(0, random.below(bytes.length)), other.subarray(random.below(other.length))),
  overwrite,
  insert,
  remove,
  repeat,
  lengthen,
  (bytes, random) =>
    joined(
      bytes,
      Uint8Array.from({ length: 1 + random.below(12) }, () => random.next() & 0xff),
    ),
];

export function mutateBlindly(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  let mutated = bytes;
  for (let count = 1 + (random.once(3) ? random.below(4) : 0); count > 0; count--) {
    mutated = random.pick(mutations)(mutated, random, other);
  }
  return mutated;
}

function flipBits(bytes: Uint8Array, random: Random): Uint8Array {
  const mutated = bytes.slice();
  for (let count = 1 + random.below(3); count > 0; count--)
    flipBit(mutated, random.below(8 * mutated.length));
  return mutated;
}

export function flipBit(bytes: Uint8Array, bit: number): void {
  const at = bit >> 3;
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
}

function setByte(bytes: Uint8Array, random: Random): Uint8Array {
  const mutated = bytes.slice();
  const at = random.below(mutated.length);
  const value = random.once(2) ? random.pick(interesting) : (mutated[at] ?? 0) + (random.once(2) ? 1 : -1);
  if (at < mutated.length) mutated[at] = value;
  return mutated;
}

function joined(...pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** A stretch of another record in the place of as many bytes. */
function overwrite(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const mutated = bytes.slice();
  const at = random.below(bytes.length);
  const from = random.below(other.length);
  mutated.set(other.subarray(from, from + Math.min(1 + random.below(20), bytes.length - at)), at);
  return mutated;
}

function insert(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  const count = 1 + random.below(4);
  const piece = Uint8Array.from({ length: count }, () => random.pick(interesting));
  return joined(bytes.subarray(0, at), piece, bytes.subarray(at));
}

function remove(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  return joined(bytes.subarray(0, at), bytes.subarray(at + 1 + random.below(4)));
}

function repeat(bytes: Uint8Array, random: Random): Uint8Array {
  const from = random.below(bytes.length);
  const to = from + 1 + random.below(24);
  return joined(bytes.subarray(0, to), bytes.subarray(from, to), bytes.subarray(to));
}

/** Takes a byte for an integer of one byte and writes one that is too long, or huge, in its place. */
function lengthen(bytes: Uint8Array, random: Random): Uint8Array {
  const at = random.below(bytes.length);
  const low = (bytes[at] ?? 0) | 0x80;
  const piece = random.pick([
    [low, 0],
    [low, 0x80, 0],
    [low, 1],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x1f],
    [0xff, 0xff, 0xff, 0xff, 0x07],
    [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
  ]);
  return joined(bytes.subarray(0, at), Uint8Array.from(piece), bytes.subarray(at + 1));
}
