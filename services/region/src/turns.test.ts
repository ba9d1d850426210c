import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turns } from './turns.ts';

it('so many go on at once, the others in order, whatever becomes of those before them', async () => {
  const turns = new Turns({ atOnce: 2, waitMs: 5000, what: 'lists' });
  const begun: number[] = [];
  let [underWay, most] = [0, 0];
  const work = (index: number) => async () => {
    begun.push(index);
    most = Math.max(most, ++underWay);
    await pause(2);
    underWay--;
    if (index % 2 === 0) throw new RangeError(`${index}`);
    return index;
  };
  const done = await Promise.allSettled([0, 1, 2, 3, 4, 5].map((index) => turns.take(work(index))));
  expect(begun).toEqual([0, 1, 2, 3, 4, 5]);
  expect(most).toBe(2);
  expect(done.map(({ status }) => status)).toEqual(
    [0, 1, 2, 3, 4, 5].map((index) => (index % 2 === 0 ? 'rejected' : 'fulfilled')),
  );
});

it('who waits too long is refused, and takes nobody’s place', async () => {
  const turns = new Turns({ atOnce: 1, waitMs: 20, what: 'lists' });
  let finish = (): void => undefined;
  const first = turns.take(() => new Promise<void>((resolve) => (finish = resolve)));
  await expect(turns.take(() => Promise.resolve())).rejects.toMatchObject({ code: 'overloaded' });
  finish();
  await first;
  expect(await turns.take(() => Promise.resolve('done'))).toBe('done');
});
