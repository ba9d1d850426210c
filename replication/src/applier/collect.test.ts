import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PlacedChange } from '../log/log-record.ts';
import { parseRegionId } from '../ports/identity.ts';
import { collect } from './collect.ts';
import type { QueuedRecord, Room } from './collect.ts';
import { isOpen, readingOf } from './reading.ts';
import type { OpenReading } from './reading.ts';

const origin = parseRegionId('eu') ?? expect.fail('eu is a region');
const incarnation = { counter: 1, nonce: 1 };

function open(applied: bigint): OpenReading {
  const reading = readingOf({ incarnation, applied });
  return isOpen(reading) ? reading : expect.fail('a position is open');
}

function room(changes: number, limits: Partial<Room> = {}): Room {
  return { changes, bytes: 1_000_000, isEmpty: true, ...limits };
}

/** Commits of 1 to 6 changes, packed into records that join; some records are sent twice. */
const queues = fc
  .array(fc.tuple(fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }), fc.boolean()), {
    minLength: 1,
    maxLength: 6,
  })
  .map((packed) => {
    let from = 10n;
    const records: QueuedRecord[] = [];
    const all: PlacedChange[] = [];
    for (const [commits, twice] of packed) {
      const changes: PlacedChange[] = [];
      let to = from;
      for (const size of commits) {
        to += 10n;
        for (let index = 0; index < size; index++) {
          changes.push({ lsn: to, index, collection: 'c', key: `k${index}`, delta: new Uint8Array([1]) });
        }
      }
      all.push(...changes);
      const record = {
        kind: 'changes',
        origin,
        incarnation,
        partition: 0,
        from,
        to,
        beats: [],
        changes,
      } as const;
      for (let copy = 0; copy < (twice ? 2 : 1); copy++) {
        records.push({ offset: BigInt(records.length), byteCount: 1, arrivedMs: 0, record });
      }
      from = to;
    }
    return { records, all, end: from };
  });

test('however a queue is cut, each change is applied once, in order, and cuts lie at commit ends', () => {
  fc.assert(
    fc.property(queues, fc.integer({ min: 1, max: 12 }), ({ records, all, end }, maxChanges) => {
      let reading = open(10n);
      let queue: readonly QueuedRecord[] = records;
      const applied: PlacedChange[] = [];
      while (queue.length > 0 && reading.applied < end) {
        const collected = collect(reading, queue, room(maxChanges)) ?? expect.fail('something fits');
        expect(collected.applied).toBeGreaterThan(reading.applied);
        for (const change of collected.changes) {
          expect(change.lsn > reading.applied && change.lsn <= collected.applied).toBe(true);
        }
        applied.push(...collected.changes);
        queue = queue.slice(collected.consumed);
        reading = collected.reading;
      }
      expect(applied).toEqual(all);
      expect(reading.applied).toBe(end);
    }),
  );
});

test('a batch stops before a record that does not fit the position', () => {
  const head = { kind: 'changes', origin, incarnation, partition: 0, beats: [], changes: [] } as const;
  const queue = [
    { offset: 0n, byteCount: 1, arrivedMs: 0, record: { ...head, from: 10n, to: 20n } },
    { offset: 1n, byteCount: 1, arrivedMs: 0, record: { ...head, from: 30n, to: 40n } },
  ];
  expect(collect(open(10n), queue, room(100))).toMatchObject({ consumed: 1, applied: 20n, nextOffset: 1n });
});

function entry(from: bigint, sizes: readonly number[]): QueuedRecord {
  const changes = sizes.flatMap((size, commit) =>
    Array.from({ length: size }, (_, index) => {
      const lsn = from + BigInt(commit) + 1n;
      return { lsn, index, collection: 'c', key: `k${lsn}-${index}`, delta: new Uint8Array([1]) };
    }),
  );
  const to = from + BigInt(sizes.length);
  const record = {
    kind: 'changes',
    origin,
    incarnation,
    partition: 0,
    from,
    to,
    beats: [],
    changes,
  } as const;
  return { offset: from, byteCount: 10, arrivedMs: 0, record };
}

test('beside other partitions only whole records are taken, as far as there is room for them', () => {
  const queue = [entry(10n, [2, 1]), entry(12n, [1, 1])];
  const beside = (changes: number, bytes = 100) =>
    collect(open(10n), queue, { changes, bytes, isEmpty: false });
  expect(beside(2)).toBeNull();
  expect(beside(5, 9)).toBeNull();
  expect(beside(4)).toMatchObject({ consumed: 1, applied: 12n, byteCount: 10, nextOffset: 11n });
  expect(beside(5, 19)).toMatchObject({ consumed: 1, applied: 12n });
  expect(beside(5)).toMatchObject({ consumed: 2, applied: 14n, byteCount: 20 });
});

test('an empty interval needs no room for changes', () => {
  const queue = [entry(10n, [0])];
  expect(collect(open(10n), queue, room(0, { isEmpty: false }))).toMatchObject({ consumed: 1, applied: 11n });
});

test('an empty transaction takes one commit, however large', () => {
  const queue = [entry(10n, [3, 1])];
  expect(collect(open(10n), queue, room(2, { bytes: 1 }))).toMatchObject({
    consumed: 0,
    applied: 11n,
    nextOffset: 10n,
  });
});

test('what a batch carries is gone through once, of however many records it is', () => {
  const few = walked(() => collectAll(100));
  expect(few).toBeGreaterThan(100);
  expect(walked(() => collectAll(1000))).toBeLessThan(11 * few);
});

function collectAll(count: number): void {
  const beat = { number: 1, lsn: 1n, atMs: 1, end: 1n, count: 1 };
  const queue = Array.from({ length: count }, (_, index) => {
    const small = entry(10n + BigInt(index), [1]);
    return { ...small, record: { ...small.record, beats: [beat] } };
  });
  const collected = collect(open(10n), queue, room(count)) ?? expect.fail('all of it fits');
  expect([collected.changes.length, collected.beats.length]).toEqual([count, count]);
}

/** How many elements of arrays are gone through, by a spread or a loop, while this runs. */
function walked(run: () => void): number {
  const arrays: object = Array.prototype;
  const { [Symbol.iterator]: iterator } = Array.prototype;
  let elements = 0;
  const counted = function* (this: readonly unknown[]) {
    for (let index = 0; index < this.length; index++) {
      elements++;
      yield this[index];
    }
  };
  const walkWith = (value: unknown): void =>
    void Object.defineProperty(arrays, Symbol.iterator, { value, configurable: true, writable: true });
  walkWith(counted);
  try {
    run();
  } finally {
    walkWith(iterator);
  }
  return elements;
}

test('of a record that is cut the beats that lie before the cut are taken with it', () => {
  const changes = [20n, 40n].map((lsn) => ({
    lsn,
    index: 0,
    collection: 'c',
    key: 'k',
    delta: new Uint8Array([1]),
  }));
  const beats = [20n, 30n].map((end, index) => ({ number: index + 1, lsn: end, end, atMs: 0, count: 1 }));
  const head = { kind: 'changes', origin, incarnation, partition: 0, from: 10n, to: 50n } as const;
  const long = { record: { ...head, beats, changes }, offset: 0n, byteCount: 1, arrivedMs: 0 };
  const collected = collect(open(10n), [long], room(1));
  expect([collected?.applied, collected?.beats.map(({ number }) => number)]).toEqual([20n, [1]]);
});
