/**
 * MurmurHash3 (x86, 128 bits, seed 0) of a range of bytes: spreads well, needs no 64-bit arithmetic and gives
 * zero for nothing. It tells records apart by accident, not by attack: never use it where someone gains from a
 * collision.
 */
const c1 = 0x239b961b;
const c2 = 0xab0e9789;
const c3 = 0x38b34ae5;
const c4 = 0xa1e38b93;

export function hash128(bytes: Uint8Array): Uint8Array {
  const state = new Uint32Array(4);
  const blocks = bytes.length >>> 4;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let block = 0; block < blocks; block += 1) mixBlock(state, view, block * 16);
  mixTail(state, bytes.subarray(blocks * 16));
  return finish(state, bytes.length);
}

function mixBlock(state: Uint32Array, view: DataView, at: number): void {
  let [h1, h2, h3, h4] = words(state);
  h1 ^= k1(view.getUint32(at, true));
  h1 = Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b;
  h2 ^= k2(view.getUint32(at + 4, true));
  h2 = Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747;
  h3 ^= k3(view.getUint32(at + 8, true));
  h3 = Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35;
  h4 ^= k4(view.getUint32(at + 12, true));
  h4 = Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17;
  state.set([h1, h2, h3, h4]);
}

function mixTail(state: Uint32Array, tail: Uint8Array): void {
  const padded = new Uint8Array(16);
  padded.set(tail);
  const view = new DataView(padded.buffer);
  const [h1, h2, h3, h4] = words(state);
  state.set([
    h1 ^ k1(view.getUint32(0, true)),
    h2 ^ k2(view.getUint32(4, true)),
    h3 ^ k3(view.getUint32(8, true)),
    h4 ^ k4(view.getUint32(12, true)),
  ]);
}

function finish(state: Uint32Array, length: number): Uint8Array {
  const mixed = words(state).map((word) => word ^ length);
  const spread = together(together(mixed).map(avalanche));
  const out = new Uint8Array(16);
  const view = new DataView(out.buffer);
  spread.forEach((word, index) => view.setUint32(index * 4, word >>> 0));
  return out;
}

function together(parts: readonly number[]): readonly number[] {
  const [a = 0, b = 0, c = 0, d = 0] = parts;
  const sum = a + b + c + d;
  return [sum | 0, (b + sum) | 0, (c + sum) | 0, (d + sum) | 0];
}

function avalanche(word: number): number {
  let value = word;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return value ^ (value >>> 16);
}

function words(state: Uint32Array): [number, number, number, number] {
  return [state[0] ?? 0, state[1] ?? 0, state[2] ?? 0, state[3] ?? 0];
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

function k1(word: number): number {
  return Math.imul(rotate(Math.imul(word, c1), 15), c2);
}

function k2(word: number): number {
  return Math.imul(rotate(Math.imul(word, c2), 16), c3);
}

function k3(word: number): number {
  return Math.imul(rotate(Math.imul(word, c3), 17), c4);
}

function k4(word: number): number {
  return Math.imul(rotate(Math.imul(word, c4), 18), c1);
}
