/** Tokens of callers who bring none, which many of one commit share: each says what its caller wrote and no more (P5). */
import { expect, test } from 'vitest';
import { systemTimer } from '../adapters/node/system-timer.ts';
import { partitionOf } from '../log/partition.ts';
import type { RecordId } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import { SessionDesk } from './session-desk.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const self = { region, incarnation: { counter: 1, nonce: 7 }, partitionCount: 8 };
const desk = new SessionDesk({
  self,
  store: { place: () => expect.fail('nothing was read') },
  key: new Uint8Array(32),
  timer: systemTimer,
});

const records: readonly RecordId[] = Array.from({ length: 40 }, (_, index) => ({
  collection: 'products',
  key: `item-${index}`,
}));

test('a first write is in the token with its own partition and commit', () => {
  for (const end of [100n, 200n, 100n]) {
    for (const id of [...records, ...records]) {
      const { vector, ahead } = desk.parse(desk.afterWrite(null, [id], end));
      const { incarnation } = self;
      expect(vector).toEqual([{ region, incarnation, partition: partitionOf(id, 8), lsn: end }]);
      expect(ahead).toEqual([]);
    }
  }
});

test('who has seen more keeps it', () => {
  const [first, second] = [
    records[0],
    records.find((id) => partitionOf(id, 8) !== partitionOf(records[0] ?? id, 8)),
  ];
  if (first === undefined || second === undefined) throw expect.fail('two partitions are met');
  const seen = desk.parse(desk.afterWrite(null, [first], 300n));
  const { vector } = desk.parse(desk.afterWrite(seen, [second], 300n));
  expect(vector.map(({ partition }) => partition).toSorted((a, b) => a - b)).toEqual(
    [partitionOf(first, 8), partitionOf(second, 8)].toSorted((a, b) => a - b),
  );
  expect(desk.parse(desk.afterWrite(null, [first, second], 300n)).vector).toHaveLength(2);
});
