/** Many callers at once whose records are large: they share no more of a transaction than it may read. */
import { expect, test } from 'vitest';
import { systemTimer } from '../adapters/node/system-timer.ts';
import { MemoryRecordStore } from '../adapters/memory/record-store.ts';
import { actorOf, parseRegionId } from '../ports/identity.ts';
import { maxStateBytes } from '../transaction-limits.ts';
import { Journal } from './journal.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const mebibyte = 1024 * 1024;

test('callers of many large records are all served, in few transactions', async () => {
  const store = new MemoryRecordStore();
  const id = (key: string) => ({ collection: 'products', key });
  const put = (key: string, size: number) =>
    store.commitLocal({
      ids: [id(key)],
      decide: () => [{ index: 0, state: new Uint8Array(size), delta: new Uint8Array(1) }],
    });
  await put('small', 10);
  const large = Array.from({ length: 40 }, (_, index) => `k${index}`);
  for (const key of large) await put(key, mebibyte);
  const widest = Array.from({ length: 30 }, (_, index) => `w${index}`);
  for (const key of widest) await put(key, mebibyte);
  const batches: number[] = [];
  const read: number[] = [];
  const journal = new Journal({
    store,
    clock: { nowMs: () => 1_700_000_000_000 },
    actor: actorOf(region, { counter: 1, nonce: 1 }),
    timer: systemTimer,
    maxWaitingEdits: 2000,
    paceMs: () => 0,
    onBatch: ({ callers, records }) => {
      batches.push(callers);
      if (callers > 1) read.push(records * mebibyte);
    },
  });
  const write = (keys: readonly string[]) => {
    const edit = (before: Uint8Array) => {
      return { kind: 'write' as const, state: before, delta: new Uint8Array(1), result: 1 };
    };
    return journal.write(keys.map((key) => ({ id: id(key), edit }))).then(
      ({ kind }) => kind,
      (reason: unknown) => reason,
    );
  };
  const outcomes = await Promise.all([write(['small']), ...large.map((key) => write([key])), write(widest)]);
  await journal.close();
  expect(new Set(outcomes)).toEqual(new Set(['done']));
  expect(Math.max(...read)).toBeLessThanOrEqual(maxStateBytes + mebibyte);
  expect(batches.length).toBeLessThan(12);
});
