import { expect, test, vi } from 'vitest';
import { keepHouse } from './housekeeping.ts';
import { droppedAtOnce } from './letter-limits.ts';

const beats = { prune: async () => 0 };

test('drops closed letters step by step, until less than a step is left', async () => {
  let left = 2 * droppedAtOnce + 1;
  const prune = vi.fn(async () => {
    const dropped = Math.min(left, droppedAtOnce);
    left -= dropped;
    return dropped;
  });
  await keepHouse({ beats, letters: { prune } });
  expect([left, prune.mock.calls.length]).toEqual([0, 3]);
});

test('leaves to the next turn what does not fit into one', async () => {
  const prune = vi.fn(async () => droppedAtOnce);
  await keepHouse({ beats, letters: { prune } });
  expect(prune).toHaveBeenCalledTimes(20);
});
