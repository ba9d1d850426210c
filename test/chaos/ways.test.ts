import { expect, test } from 'vitest';
import { type Between, Ways } from './ways.ts';

test('a fault stands between those that it names, both ways, until a while after its end', () => {
  const ways = new Ways(10);
  const cut: Between = [['eu', 'us']];
  expect(ways.isWhole('eu', 'us', 5), 'before any fault').toBe(true);
  ways.begin(cut);
  expect(['eu us', 'us eu', 'eu ap'].map((pair) => isWhole(ways, pair, 20))).toEqual([false, false, true]);
  ways.end(cut, 30);
  expect(isWhole(ways, 'us eu', 40)).toBe(false);
  expect(isWhole(ways, 'us eu', 41)).toBe(true);
});

test('one that names nobody may stand between any two, and one between nobody stands in no way', () => {
  const ways = new Ways(10);
  ways.begin([]);
  expect(isWhole(ways, 'eu us', 20)).toBe(true);
  ways.begin(null);
  expect(isWhole(ways, 'eu us', 20)).toBe(false);
  ways.end(null, 30);
  expect([40, 41].map((atMs) => isWhole(ways, 'eu us', atMs))).toEqual([false, true]);
});

function isWhole(ways: Ways, pair: string, atMs: number): boolean {
  const [one = '', other = ''] = pair.split(' ');
  return ways.isWhole(one, other, atMs);
}
