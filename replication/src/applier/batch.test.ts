import { register, schema } from '@isthmus/conflict';
import { expect, test } from 'vitest';
import type { PlacedChange } from '../log/log-record.ts';
import { maxLoneDeltaBytes } from '../transaction-limits.ts';
import { batchOf, cutAtCommit, decide } from './batch.ts';
import type { Share } from './batch.ts';

const products = schema({ title: register() });
const nothing = new Uint8Array(0);

function change(key: string, title: string, now = 1000): PlacedChange {
  const context = { actor: `eu.1.${key.padStart(8, '0').slice(0, 8)}`, floor: 0, now };
  const { delta } = products.edit(nothing, context, (editor) => editor.set('title', title));
  return { collection: 'products', key, delta, lsn: BigInt(now), index: 0 };
}

function place(lsn: number, index: number): PlacedChange {
  return { collection: 'products', key: `k${lsn}-${index}`, delta: nothing, lsn: BigInt(lsn), index };
}

function share(changes: readonly PlacedChange[], partition = 0): Share {
  return { partition, changes };
}

test('a batch is cut only where a commit ends, and holds at least one commit', () => {
  const changes = [place(1, 0), place(1, 1), place(2, 0), place(2, 1), place(2, 2), place(3, 0)];
  expect([6, 5, 4, 3, 2, 1].map((max) => cutAtCommit(changes, max))).toEqual([6, 5, 2, 2, 2, 2]);
});

test('changes to one record are merged in order and written once', () => {
  const batch = batchOf([share([change('a', 'first'), change('b', 'x'), change('a', 'second', 2000)])]);
  expect(batch.ids.map((id) => id.key)).toEqual(['a', 'b']);
  const { writes, deadLetters } = decide(batch, [nothing, nothing], Infinity);
  expect(deadLetters).toEqual([]);
  expect(writes.map(({ index }) => index)).toEqual([0, 1]);
});

test('changes of several partitions make one batch, and what is put aside keeps its partition', () => {
  const broken = { ...change('b', 'x'), delta: Uint8Array.from([0x10, 255, 2]) };
  const batch = batchOf([share([change('a', 'x')], 3), share([], 4), share([broken, change('c', 'y')], 5)]);
  expect(batch.ids.map((id) => id.key)).toEqual(['a', 'b', 'c']);
  expect(batch.changeCount).toBe(3);
  const { writes, deadLetters } = decide(batch, [nothing, nothing, nothing], Infinity);
  expect(writes.map(({ index }) => index)).toEqual([0, 2]);
  expect(deadLetters.map(({ key, partition }) => [key, partition])).toEqual([['b', 5]]);
});

test('however many changes of one commit are put aside, each is (P4)', () => {
  const ahead = change('a', 'x');
  const changes = Array.from({ length: 200_000 }, () => ahead);
  const { deadLetters } = decide(batchOf([share(changes)]), [nothing], 0);
  expect(deadLetters.length).toBe(changes.length);
});

test('a change that no origin may send for its size is put aside, sound as it is; the next of its record goes on (P4)', () => {
  const large = (bytes: number): PlacedChange => {
    const sound = change('a', '');
    return { ...sound, delta: Buffer.concat([sound.delta, Buffer.alloc(bytes - sound.delta.length)]) };
  };
  const { ids, refused } = batchOf([
    share([large(maxLoneDeltaBytes + 1), change('a', 'x'), large(maxLoneDeltaBytes)]),
  ]);
  expect(ids).toEqual([{ collection: 'products', key: 'a' }]);
  expect(refused).toMatchObject([
    {
      key: 'a',
      cause: 'too-large',
      detail: `a change of ${maxLoneDeltaBytes + 1} bytes, over ${maxLoneDeltaBytes}`,
    },
  ]);
});

test('what changes nothing is not written', () => {
  const first = change('a', 'x');
  expect(decide(batchOf([share([first])]), [first.delta], Infinity).writes).toEqual([]);
});

test('bytes that are no record, and stamps too far ahead, are put aside; the rest goes on (P3, P4)', () => {
  const broken = { ...change('a', 'x'), delta: Uint8Array.from([0x10, 255, 2]) };
  const ahead = change('b', 'y', 90_000);
  const good = change('c', 'z');
  const { writes, deadLetters } = decide(
    batchOf([share([broken, ahead, good])]),
    [nothing, nothing, nothing],
    60_000,
  );
  expect(writes.map(({ index }) => index)).toEqual([2]);
  expect(deadLetters.map(({ key, cause }) => [key, cause])).toEqual([
    ['a', 'malformed'],
    ['b', 'clock-too-far-ahead'],
  ]);
  expect(deadLetters[1]?.delta).toBe(ahead.delta);
});

test('what a newer version wrote is put aside as that', () => {
  const newer = { ...change('a', 'x'), delta: Uint8Array.from([0x20, 0]) };
  const { deadLetters } = decide(batchOf([share([newer])]), [nothing], 60_000);
  expect(deadLetters.map(({ cause }) => cause)).toEqual(['newer-format']);
});

test('a name that no index can hold is put aside, and its record is never asked for (P4)', () => {
  const long = { ...change('a', 'x'), key: 'é'.repeat(257) };
  const good = { ...change('b', 'y'), key: 'k'.repeat(512) };
  const batch = batchOf([share([long, good])]);
  expect(batch.ids.map(({ key }) => key)).toEqual([good.key]);
  expect(decide(batch, [nothing], Infinity)).toMatchObject({
    writes: [{ index: 0 }],
    deadLetters: [{ key: long.key, cause: 'too-large', detail: 'a key of 514 bytes, over 512' }],
  });
});

test('of a commit with more records than a transaction can lock, those beyond are put aside (P4)', () => {
  const { delta } = change('a', 'x');
  const changes = Array.from({ length: 5002 }, (_, index) => ({ ...place(7, index), delta }));
  const again = { ...changes[0], index: 5002 };
  const batch = batchOf([share([...changes, { ...place(7, 5002), ...again }])]);
  expect(batch.ids).toHaveLength(5000);
  expect(batch.changes[0]).toHaveLength(2);
  expect(batch.refused.map(({ index, cause }) => [index, cause])).toEqual([
    [5000, 'too-large'],
    [5001, 'too-large'],
  ]);
});

test('concurrent values of one field are reported as a conflict', () => {
  const batch = batchOf([share([change('a', 'theirs')])]);
  const ours = products.edit(nothing, { actor: 'us.1.00000001', floor: 0, now: 1 }, (editor) =>
    editor.set('title', 'ours'),
  );
  expect(decide(batch, [ours.state], Infinity).conflicts).toEqual([{ index: 0, fields: 1 }]);
});
