import { expect, test } from 'vitest';
import { Missing } from './missing.ts';

const insert = (key: string, atMs: number) => ({ key, invokedAtMs: atMs, ackedAtMs: atMs + 1 });
const has =
  (...keys: readonly string[]) =>
  async (): Promise<ReadonlySet<string>> =>
    new Set(keys);

test('what is missing is what was acknowledged and is not there, and how far the target has come ends before it', async () => {
  const missing = new Missing();
  for (const [at, key] of ['a', 'b', 'c'].entries()) missing.add(insert(key, 10 * (at + 1)));
  await missing.look(has('a', 'c'));
  expect(missing.inserts.map(({ key }) => key)).toEqual(['b']);
  expect(missing.reachedMs(0)).toBe(20);
  await missing.look(has('b'));
  expect(missing.inserts).toEqual([]);
  expect(missing.reachedMs(0)).toBe(20);
  expect(missing.reachedMs(5000), 'nothing had been seen so long ago').toBe(0);
});

test('it looks on until something is missing, however much has come', async () => {
  const missing = new Missing();
  const keys = Array.from({ length: 1000 }, (_, index) => `k${index}`);
  for (const [at, key] of keys.entries()) missing.add(insert(key, at));
  await missing.look(has(...keys.slice(0, 900)));
  expect(missing.inserts).toHaveLength(100);
  expect(missing.absent).toHaveLength(100);
  await missing.look(has());
  for (const [at, key] of keys.entries()) missing.add(insert(`later ${key}`, 1000 + at));
  await missing.look(has());
  expect(missing.inserts).toHaveLength(1100);
  expect(missing.absent, 'what was not looked for may be there').toHaveLength(400);
  expect(missing.reachedMs(0)).toBe(900);
});
