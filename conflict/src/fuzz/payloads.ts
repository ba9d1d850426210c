/** Payloads of entries that lie about what they hold, grouped by what would read them. */
import type { Random } from './random.ts';
import { varint } from './parts.ts';

const stamp = [0x01, 0x8b, 0xcf, 0xe5, 0x68, 0x00] as const;
const numbers = [0, 1, 2, 127, 128, 300, 2 ** 32, 2 ** 53 - 2, 2 ** 53 - 1, 2 ** 53] as const;

export const protoName: readonly number[] = Array.from('__proto__', (letter) => letter.charCodeAt(0));

export function forgedPayload(random: Random): readonly number[] {
  return random.pick([forgedValue, forgedVector, forgedStamp, forgedBytes])(random);
}

export function someNumber(random: Random): number {
  return random.once(3) ? random.below(20) : random.pick(numbers);
}

function forgedValue(random: Random): readonly number[] {
  return [...stamp, ...random.pick([nestingBomb, hugeCount, oddDouble, unsortedMembers, badText])(random)];
}

/** Arrays or objects in each other, from a few to thousands. */
function nestingBomb(random: Random): readonly number[] {
  const depth = random.pick([3, 31, 32, 255, 256, 257, 400, random.once(50) ? 50_000 : 600]);
  const level = random.once(2) ? [0x81] : [0x91, 0x01, 0x61];
  const bomb: number[] = [];
  for (let at = 0; at < depth; at++) bomb.push(...level);
  bomb.push(0);
  return bomb;
}

function hugeCount(random: Random): readonly number[] {
  const bomb: number[] = [random.pick([0x06, 0x07, 0x08, 0x8f, 0x9f, 0x7f])];
  varint(bomb, someNumber(random), random.below(2));
  for (let count = random.below(40); count > 0; count--) bomb.push(0x20);
  return bomb;
}

function oddDouble(random: Random): readonly number[] {
  const head = random.pick([0x7f, 0xff, 0x80, 0x3f, 0x43, 0xc3, 0x00]);
  return [0x03, head, random.pick([0xf0, 0xf8, 0x00, 0x40]), 0, 0, 0, 0, 0, random.below(2)];
}

function unsortedMembers(random: Random): readonly number[] {
  const names: readonly [readonly number[], ...(readonly number[])[]] = [[0x62], [0x61], [], protoName];
  const members = [random.pick(names), random.pick(names)];
  return [0x92, ...members.flatMap((name) => [name.length, ...name, 0x21])];
}

function badText(random: Random): readonly number[] {
  return random.pick([
    [0x41, 0x80],
    [0x42, 0xc0, 0x80],
    [0x43, 0xed, 0xa0, 0x80],
    [0x44, 0xf4, 0x90, 0x80, 0x80],
    [0x42, 0xc3],
    [0x06, 0x05, 0x61, 0x61, 0x61, 0x61, 0x61],
    [0x0a],
    [0xa0],
    [0x04, 0x05],
    [0x05, 0x00],
  ]);
}

function forgedVector(random: Random): readonly number[] {
  const vector: number[] = [];
  for (let count = random.below(random.once(20) ? 300 : 7); count > 0; count--) {
    varint(vector, someNumber(random), random.once(12) ? 1 : 0);
  }
  return vector;
}

function forgedStamp(random: Random): readonly number[] {
  const kind = random.pick([[], [0], [1], [2]]);
  const ms = random.once(3) ? [0xff, 0xff, 0xff, 0xff, 0xff, 0xff] : stamp;
  const logical = random.pick([
    [],
    [0xff, 0xff, 0xff],
    [0xff, 0, 0],
    [0xff, 0, 1],
    [0xff, 1],
    [1],
    [1, 0, 0],
  ]);
  return [...kind, ...ms, ...logical, ...(random.once(2) ? [0x21] : [])];
}

function forgedBytes(random: Random): readonly number[] {
  return Array.from({ length: random.below(30) }, () => random.next() & 0xff);
}
