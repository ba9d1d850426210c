/** When the next publish of a busy region begins: moments in milliseconds, `each` changes every `everyMs`. */
import { expect, test } from 'vitest';
import { PublishPace } from './publish-pace.ts';

const restMs = 16;

function afterMany(each: number, everyMs: number, paceMs = restMs): { leftMs: number; nowMs: number } {
  const pace = new PublishPace(() => paceMs);
  let nowMs = 1_000_000;
  for (let count = 0; count < 1000; count++) pace.ended(each, (nowMs += everyMs));
  nowMs += 3;
  return { leftMs: pace.leftMs(nowMs), nowMs };
}

test('where many changes come, the next publish waits until they have gathered', () => {
  // Two changes a millisecond: 32 in 16 ms.
  expect(afterMany(10, 5).leftMs).toBe(restMs - 3);
});

test('where too few would gather, nothing waits', () => {
  // One change a millisecond: 16 in 16 ms.
  expect(afterMany(5, 5).leftMs).toBe(0);
});

test('a process with time to spare waits for nothing', () => {
  expect(afterMany(10, 5, 0).leftMs).toBe(0);
});

test('a publish that was large has paid for itself, and the next one comes at once', () => {
  expect(afterMany(200, 5).leftMs).toBe(0);
});

test('the first publish waits for nothing, and one after a long silence neither', () => {
  const pace = new PublishPace(() => restMs);
  expect(pace.leftMs(0)).toBe(0);
  for (let nowMs = 0; nowMs < 5000; nowMs += 5) pace.ended(10, nowMs);
  pace.ended(1, 60_000);
  expect(pace.leftMs(60_001)).toBe(0);
});
