import { expect, test } from 'vitest';
import type { CountedBeat, Lsn } from '../ports/change.ts';
import { Acknowledger } from './acknowledger.ts';

function beat(number: number): CountedBeat {
  return { number, lsn: BigInt(number * 10), end: BigInt(number * 10 + 5), atMs: number, count: number };
}

/** A store whose writes finish when told to. */
function gatedStore() {
  const stored: number[] = [];
  const gates: { open: () => void; fail: (reason: unknown) => void }[] = [];
  const store = {
    async storePublished(beats: readonly CountedBeat[]) {
      await new Promise<void>((open, fail) => gates.push({ open, fail }));
      stored.push(...beats.map((counted) => counted.number));
    },
  };
  return { store, stored, gates };
}

test('nothing is confirmed before its count is durable (I2)', async () => {
  const confirmed: Lsn[] = [];
  const { store, stored, gates } = gatedStore();
  const acknowledger = new Acknowledger(
    store,
    (end) => confirmed.push(end),
    () => expect.fail('stored'),
  );
  acknowledger.published([beat(1)]);
  acknowledger.published([beat(2), beat(3)]);
  expect(confirmed).toEqual([]);
  gates[0]?.open();
  await expect.poll(() => gates.length).toBe(2);
  expect(confirmed).toEqual([15n]);
  gates[1]?.open();
  await acknowledger.settle();
  expect(stored).toEqual([1, 2, 3]);
  expect(confirmed).toEqual([15n, 35n]);
});

test('a count that could not be stored is never confirmed; a later beat goes on', async () => {
  const confirmed: Lsn[] = [];
  const failures: unknown[] = [];
  const { store, gates } = gatedStore();
  const acknowledger = new Acknowledger(
    store,
    (end) => confirmed.push(end),
    (reason) => failures.push(reason),
  );
  acknowledger.published([beat(1)]);
  gates[0]?.fail('database away');
  await acknowledger.settle();
  expect({ confirmed, failures }).toEqual({ confirmed: [], failures: ['database away'] });
  acknowledger.published([beat(2)]);
  gates[1]?.open();
  await acknowledger.settle();
  expect(confirmed).toEqual([25n]);
});
