/**
 * 128 bits over a binary string or bytes, spread well enough that different contents agree by accident never. It is no
 * protection against somebody who looks for a collision. The function is MurmurHash3 x86_128 (Austin Appleby, public
 * domain), seed 0.
 */
const multipliers = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93] as const;

/** Four unsigned 32-bit words. */
export type Hash128 = readonly [number, number, number, number];

export function hash128(bytes: Uint8Array): Hash128 {
  const blocksEnd = bytes.length & ~15;
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  for (let at = 0; at < blocksEnd; at += 16) {
    h1 ^= scramble(wordAt(bytes, at), 0);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(wordAt(bytes, at + 4), 1);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(wordAt(bytes, at + 8), 2);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(wordAt(bytes, at + 12), 3);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  if (blocksEnd < bytes.length) {
    h1 ^= scramble(tailWord(bytes, blocksEnd), 0);
    h2 ^= scramble(tailWord(bytes, blocksEnd + 4), 1);
    h3 ^= scramble(tailWord(bytes, blocksEnd + 8), 2);
    h4 ^= scramble(tailWord(bytes, blocksEnd + 12), 3);
  }
  return finished([h1 ^ bytes.length, h2 ^ bytes.length, h3 ^ bytes.length, h4 ^ bytes.length]);
}

const rotations = [15, 16, 17, 18] as const;

function scramble(word: number, lane: number): number {
  const spread = rotate(Math.imul(word, multipliers[lane] ?? 0), rotations[lane] ?? 0);
  return Math.imul(spread, multipliers[(lane + 1) & 3] ?? 0);
}

function rotate(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
}

/** Beyond the end there are zeros. */
function tailWord(bytes: Uint8Array, at: number): number {
  let word = 0;
  for (let index = 0; index < 4; index++) word |= (bytes[at + index] ?? 0) << (8 * index);
  return word;
}

function finished(lanes: Hash128): Hash128 {
  const [h1, h2, h3, h4] = folded(lanes);
  return folded([mix(h1), mix(h2), mix(h3), mix(h4)]);
}

function folded([a, b, c, d]: Hash128): Hash128 {
  const h1 = (a + b + c + d) >>> 0;
  return [h1, (b + h1) >>> 0, (c + h1) >>> 0, (d + h1) >>> 0];
}

function mix(lane: number): number {
  let value = Math.imul(lane ^ (lane >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}

/** 16 bytes, the first word first, each with its highest byte first. */
export function hashBytes(hash: Hash128): Uint8Array {
  const bytes = new Uint8Array(16);
  hash.forEach((word, index) => {
    for (let at = 0; at < 4; at++) bytes[4 * index + at] = (word >>> (24 - 8 * at)) & 0xff;
  });
  return bytes;
}

/** Two digits for each byte. */
const hexadecimal = /* @__PURE__ */ Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/** 32 hexadecimal digits. */
export function hashText(hash: Hash128): string {
  let text = '';
  for (const word of hash) {
    for (let shift = 24; shift >= 0; shift -= 8) text += hexadecimal[(word >>> shift) & 0xff] ?? '';
  }
  return text;
}
