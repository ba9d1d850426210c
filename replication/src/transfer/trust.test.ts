/** A donor that answers wrongly is not believed, and nothing of its answer is used. */
import { expect, test } from 'vitest';
import type { RecordId } from '../ports/change.ts';
import { maxKeyBytes } from '../record-name.ts';
import { requireAscending, requireFetched } from './trust.ts';

const digest = { digest: new Uint8Array(0), records: 1 };
const at = (key: string): RecordId => ({ collection: 'products', key });
const stored = (key: string) => ({ ...at(key), state: Uint8Array.of(1) });
const range = { after: at('b'), until: at('m') };

function fetched(through: string, ...keys: readonly string[]) {
  return { records: keys.map(stored), through: at(through), lacking: [] };
}

test('ranges go on from where they were asked, each from the end of the one before', () => {
  const ranges = (...keys: readonly string[]) => keys.map((key) => ({ ...digest, until: at(key) }));
  expect(() => requireAscending(at('b'), ranges('c', 'd'))).not.toThrow();
  expect(() => requireAscending(at('b'), [])).not.toThrow();
  expect(() => requireAscending(at('b'), ranges('b'))).toThrow('ranges that do not ascend');
  expect(() => requireAscending(at('b'), ranges('d', 'c'))).toThrow('ranges that do not ascend');
});

test('an answer has the records of its range in order, each once, and may be empty', () => {
  expect(() => requireFetched(range, fetched('m', 'c', 'd', 'm'))).not.toThrow();
  expect(() => requireFetched(range, fetched('d', 'c', 'd'))).not.toThrow();
  expect(() => requireFetched(range, fetched('m'))).not.toThrow();
});

test.each([
  ['ends where it began', fetched('b'), 'outside the range'],
  ['ends beyond what was asked', fetched('n'), 'outside the range'],
  ['has a record from before the range', fetched('m', 'a', 'c'), 'do not ascend'],
  ['has a record twice', fetched('m', 'c', 'c'), 'do not ascend'],
  ['goes back', fetched('m', 'd', 'c'), 'do not ascend'],
  ['has a record from beyond its end', fetched('d', 'c', 'e'), 'beyond the end'],
  [
    'has a name that is too long',
    fetched('m', 'c'.repeat(maxKeyBytes + 1)),
    'no region can store: a key of 513 bytes',
  ],
])('an answer that %s is as none', (_what, answer, why) => {
  expect(() => requireFetched(range, answer)).toThrow(why);
});
