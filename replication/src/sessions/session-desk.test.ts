/** Tokens of callers who bring none, which many of one commit share: each says what its caller wrote and no more (P5). */
import { expect, test } from 'vitest';
import { systemTimer } from '../adapters/node/system-timer.ts';
import { partitionOf } from '../log/partition.ts';
import type { RecordId } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { SeenCommit } from '../ports/session-store.ts';
import { SessionDesk } from './session-desk.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const self = { region, incarnation: { counter: 1, nonce: 7 }, partitionCount: 8 };
const desk = new SessionDesk({
  self,
  store: { era: 0, place: () => expect.fail('nothing was read') },
  key: new Uint8Array(32),
  timer: systemTimer,
});

const records: readonly RecordId[] = Array.from({ length: 40 }, (_, index) => ({
  collection: 'products',
  key: `item-${index}`,
}));

const alone = (end: bigint): SeenCommit => ({ end, seen: { applied: [], ahead: [] } });

test('a first write is in the token with its own partition and commit', () => {
  for (const end of [100n, 200n, 100n]) {
    for (const id of [...records, ...records]) {
      const { vector, ahead } = desk.parse(desk.afterWrite(null, [id], alone(end)));
      const { incarnation } = self;
      expect(vector).toEqual([{ region, incarnation, partition: partitionOf(id, 8), lsn: end }]);
      expect(ahead).toEqual([]);
    }
  }
});

test('commits that end at one place are told apart by what they saw', () => {
  const [id] = records;
  if (id === undefined) throw expect.fail('there are records');
  const other = parseRegionId('us') ?? expect.fail('us is a region');
  const entry = { region: other, incarnation: self.incarnation, partition: partitionOf(id, 8), lsn: 9n };
  expect(desk.parse(desk.afterWrite(null, [id], alone(100n))).vector).toHaveLength(1);
  const seen = { applied: [entry], ahead: [] };
  expect(desk.parse(desk.afterWrite(null, [id], { end: 100n, seen })).vector).toContainEqual(entry);
});

test('who has seen more keeps it', () => {
  const [first, second] = [
    records[0],
    records.find((id) => partitionOf(id, 8) !== partitionOf(records[0] ?? id, 8)),
  ];
  if (first === undefined || second === undefined) throw expect.fail('two partitions are met');
  const seen = desk.parse(desk.afterWrite(null, [first], alone(300n)));
  const { vector } = desk.parse(desk.afterWrite(seen, [second], alone(300n)));
  expect(vector.map(({ partition }) => partition).toSorted((a, b) => a - b)).toEqual(
    [partitionOf(first, 8), partitionOf(second, 8)].toSorted((a, b) => a - b),
  );
  expect(desk.parse(desk.afterWrite(null, [first, second], alone(300n))).vector).toHaveLength(2);
});

test('a region takes in what it has handed out, and reaches it, after however many lives (I9, I12)', async () => {
  const lives = ['eu', 'us', 'ap'].flatMap((name) => {
    const of = parseRegionId(name) ?? expect.fail('a region');
    return Array.from({ length: 200 }, (_, life) => ({
      region: of,
      incarnation: { counter: life + 1, nonce: 7 },
    }));
  });
  const applied = lives.flatMap((life, index) =>
    Array.from({ length: 8 }, (_, partition) => ({
      ...life,
      partition,
      lsn: 2n ** 40n + BigInt(index * partition),
    })),
  );
  const own = { region, incarnation: { counter: 201, nonce: 7 } };
  const nothing = {
    ahead: [],
    whole: [],
    closed: [],
    retired: [],
    insertLsn: 2n ** 41n,
    ownThrough: 2n ** 41n,
  };
  const place = { incarnation: own.incarnation, applied, settled: applied, ...nothing };
  const of = { self: { ...own, partitionCount: 8 }, store: { era: 0, place: async () => place } };
  const old = new SessionDesk({ ...of, key: new Uint8Array(32), timer: systemTimer });
  const listed = old.parse(await old.afterRead(null, null));
  expect(listed.vector).toContainEqual({ ...own, partition: 7, lsn: 2n ** 41n });
  expect(listed.vector).toContainEqual(
    expect.objectContaining({ region: 'us', incarnation: { counter: 200, nonce: 7 } }),
  );
  expect(await old.reach(listed, 0)).toEqual({ kind: 'reached' });
  const again = old.parse(await old.afterRead(listed, null));
  expect(await old.reach(again, 0)).toEqual({ kind: 'reached' });
});
