import fc from 'fast-check';
import { expect, test } from 'vitest';
import { partitionOf } from '../log/partition.ts';
import type { ChangesRecord } from '../log/log-record.ts';
import type { Commit } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import { pack, startPacking } from './packer.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const identity = { region, incarnation: { counter: 1, nonce: 1 }, partitionCount: 4 };

const commit = fc.record({
  gap: fc.bigInt({ min: 1n, max: 1000n }),
  keys: fc.array(
    fc.integer({ min: 0, max: 30 }).map((n) => `k${n}`),
    { maxLength: 6 },
  ),
  isBeat: fc.boolean(),
});

/** Commits in order, cut into batches as they might arrive. */
const batches = fc
  .array(fc.array(commit, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 8 })
  .map((cut) => {
    let end = 100n;
    let number = 0;
    return cut.map((batch) =>
      batch.map(({ gap, keys, isBeat }): Commit => {
        end += gap;
        const delta = new Uint8Array([1]);
        const beats = isBeat ? [{ number: ++number, lsn: end - 1n, atMs: number }] : [];
        return { end, beats, changes: isBeat ? [] : keys.map((key) => ({ collection: 'c', key, delta })) };
      }),
    );
  });

function packAll(input: readonly (readonly Commit[])[]) {
  let packing = startPacking(identity, 100n, 0);
  return input.map((commits) => {
    const packed = pack(packing, commits);
    packing = packed.next;
    return packed;
  });
}

test('the intervals of a partition join without a hole and hold every change of it once (I3)', () => {
  fc.assert(
    fc.property(batches, (input) => {
      const records = packAll(input).flatMap((packed) => packed.records);
      for (let partition = 0; partition < identity.partitionCount; partition++) {
        const own = records.filter((record) => record.partition === partition);
        expect(own.map((record) => record.from)).toEqual(
          [100n, ...own.map((record) => record.to)].slice(0, own.length),
        );
        expect(own.flatMap(placesOf)).toEqual(expectedPlaces(input.flat(), partition));
      }
    }),
  );
});

test('a beat is in a record of every partition, counted with the changes before it', () => {
  fc.assert(
    fc.property(batches, (input) => {
      let count = 0;
      const expected: { number: number; count: number }[] = [];
      for (const { beats, changes } of input.flat()) {
        for (const beat of beats) expected.push({ number: beat.number, count });
        count += changes.length;
      }
      for (let partition = 0; partition < identity.partitionCount; partition++) {
        const beats = packAll(input)
          .flatMap((packed) => packed.records)
          .filter((record) => record.partition === partition)
          .flatMap((record) => record.beats);
        expect(beats.map(({ number, count: before }) => ({ number, count: before }))).toEqual(expected);
      }
    }),
  );
});

test('without a count at the start nothing is counted', () => {
  const commits: Commit[] = [{ end: 200n, changes: [], beats: [{ number: 9, lsn: 150n, atMs: 1 }] }];
  expect(pack(startPacking(identity, 100n, null), commits).beats[0]?.count).toBeNull();
});

function placesOf(record: ChangesRecord): readonly string[] {
  return record.changes.map(({ lsn, index, key }) => {
    expect(lsn > record.from && lsn <= record.to).toBe(true);
    return `${lsn}.${index}.${key}`;
  });
}

function expectedPlaces(commits: readonly Commit[], partition: number): readonly string[] {
  return commits.flatMap(({ end, changes }) =>
    changes.flatMap((change, index) =>
      partitionOf(change, identity.partitionCount) === partition ? [`${end}.${index}.${change.key}`] : [],
    ),
  );
}
