import { untoldMs } from '@isthmus/replication/age';
import { expect, test } from 'vitest';
import { FoundBeats, UntoldBeats } from './untold-beats.ts';

function found(...numbers: readonly number[]): FoundBeats {
  const beats = new FoundBeats();
  for (const number of numbers) beats.note(number);
  return beats;
}

test('an age is hidden where a process that was not there before wrote the first beat after a clock was set back', () => {
  const untold = new UntoldBeats();
  untold.written(5000, null, found());
  untold.written(6000, 5000, found(1));
  expect(untold.hides(6000, 6000 - untoldMs)).toBe(false);
  untold.written(6000 + untoldMs, 6000, found(2, 10));
  expect(untold.hides(6000, 6000 - untoldMs)).toBe(true);
  expect(untold.hides(6000, 5000)).toBe(false);
  expect(untold.hides(6000, null)).toBe(false);
});

test('none is where a process that was there did not tell', () => {
  const untold = new UntoldBeats();
  untold.written(6000 + untoldMs, 6000, found(2, 4));
  untold.written(7000 + 2 * untoldMs, 7000 + untoldMs, found(2, 9, 14));
  expect(untold.hides(7000, 7000 - untoldMs)).toBe(false);
});

test('beats of another life do not count as those that came meanwhile', () => {
  expect(found(20, 40).areKnown).toBe(true);
  expect(found(20, 40, 1, 5).areKnown).toBe(false);
});
