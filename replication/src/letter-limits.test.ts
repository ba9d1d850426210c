import { expect, test } from 'vitest';
import { filled, hasRoom, heldBy, openLimits } from './letter-limits.ts';

const none = { count: 0, bytes: 0 };
const one = heldBy([{ collection: '', key: 'ä' }], () => Buffer.of(1));

test('letters are taken up to both bounds', () => {
  expect(one).toEqual({ count: 1, bytes: 3 });
  const { count, bytes } = openLimits;
  expect(hasRoom({ count: count - 1, bytes: bytes - 3 }, one)).toBe(true);
  expect(hasRoom({ count, bytes: 3 }, one)).toBe(false);
  expect(hasRoom({ count: 1, bytes: bytes - 2 }, one)).toBe(false);
});

test('where none is open anything is taken, or its partition would wait for ever', () => {
  expect(hasRoom(none, { count: 2 * openLimits.count, bytes: 2 * openLimits.bytes })).toBe(true);
});

test('the fuller of both bounds counts', () => {
  expect(filled(none)).toBe(0);
  expect(filled({ count: openLimits.count / 4, bytes: openLimits.bytes / 2 })).toBe(0.5);
  expect(filled({ count: openLimits.count, bytes: 0 })).toBe(1);
});
