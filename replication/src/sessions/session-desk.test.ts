/** Tokens of callers who bring none, which many of one commit share: each says what its caller wrote and no more (P5). */
import { expect, test } from 'vitest';
import { systemTimer } from '../adapters/node/system-timer.ts';
import { partitionOf } from '../log/partition.ts';
import type { RecordId } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import { nothingSeen, type SeenCommit } from '../ports/session-store.ts';
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

const alone = (end: bigint): SeenCommit => ({ end, seen: nothingSeen });

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
