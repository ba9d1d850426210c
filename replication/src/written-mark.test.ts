import { expect, it } from 'vitest';
import { writtenMark } from './written-mark.ts';

const first = { counter: 1, nonce: 7 };
const second = { counter: 2, nonce: 8 };
const newest = { number: 6, lsn: 1n, atMs: 0 };
const newestCounted = { ...newest, number: 5, count: 40, end: 2n };
const none = { newest: null, newestCounted: null };

it('names the newest counted beat', () => {
  for (const incarnation of [first, second])
    expect(writtenMark(incarnation, { newest, newestCounted })).toEqual({ incarnation, beat: 5, count: 40 });
});

it('names nothing while a first life has counted none, and a beat that comes where lives lie before', () => {
  expect(writtenMark(first, { newest, newestCounted: null })).toBe(null);
  expect(writtenMark(second, { newest, newestCounted: null })).toEqual({
    incarnation: second,
    beat: 6,
    count: null,
  });
  expect(writtenMark(second, none)).toEqual({ incarnation: second, beat: 1, count: null });
});
