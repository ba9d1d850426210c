/**
 * What is beyond F, from records as a log holds them: nothing that the survivors keep, all that they do not, holes told,
 * and counters that go on from a number that is not in the tail told apart from those that began in it.
 */
import { counter, register, schema } from '@isthmus/conflict';
import { expect, test } from 'vitest';
import type { ChangesRecord, LogRecord, PlacedChange } from '../log/log-record.ts';
import { type Incarnation, actorOf, parseRegionId } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';
import { OwnTail } from './own-tail.ts';

const region = parseRegionId('ap') ?? expect.fail('ap is a region');
const incarnation = { counter: 2, nonce: 7 };
const product = schema({ title: register(), likes: counter() });
const none = new Uint8Array(0);
const whole = { number: 1, of: 1 };
type Edit = Parameters<typeof product.edit>[2];

/** One record, edited in order; each edit gives the change that the log holds of it. */
class Author {
  #state: Uint8Array = none;
  #lsn: bigint;

  constructor(lsn: bigint) {
    this.#lsn = lsn;
  }

  edit(edit: Edit): PlacedChange {
    const context = { actor: actorOf(region, incarnation), now: 1000 };
    const { state, delta } = product.edit(this.#state, context, edit);
    this.#state = state;
    this.#lsn += 10n;
    return { lsn: this.#lsn, index: 0, collection: 'products', key: 'a', delta };
  }
}

function record(
  [from, to]: readonly [bigint, bigint],
  changes: readonly PlacedChange[] = [],
  of: Incarnation = incarnation,
): ChangesRecord {
  return { kind: 'changes', origin: region, incarnation: of, partition: 0, from, to, beats: [], changes };
}

const finalAt = (lsn: bigint): Vector => [{ region, incarnation, partition: 0, lsn }];

function tailOf(records: readonly LogRecord[], final: Vector, until = 1000n, part = whole): OwnTail {
  const tail = new OwnTail({ region, incarnation, partitionCount: 1, final, until, part, maxBytes: 140_000 });
  for (const each of records) tail.take(each);
  return tail;
}

function only(tail: OwnTail) {
  expect(tail.rows).toHaveLength(1);
  return tail.rows[0] ?? expect.fail('one row');
}

test('what lies up to F is kept and left out, also within one record of the log', () => {
  const author = new Author(0n);
  const changes = [author.edit((e) => e.set('title', 'kept')), author.edit((e) => e.set('title', 'lost'))];
  const tail = tailOf([record([0n, 30n], changes)], finalAt(10n), 30n);
  const row = only(tail);
  expect(row).toMatchObject({ changes: 1, lsn: 20n, needsBase: false });
  expect(product.read(row.delta).value).toMatchObject({ title: 'lost' });
  expect(tail.holes).toEqual([]);
  expect(tail.isThrough).toBe(true);
  expect(tailOf([record([0n, 30n], changes)], finalAt(20n)).rows).toEqual([]);
});

test('changes that the log holds twice count once', () => {
  const author = new Author(0n);
  const changes = [author.edit((e) => e.increment('likes', 2))];
  const row = only(tailOf([record([0n, 10n], changes), record([0n, 20n], changes)], finalAt(0n)));
  expect(row.changes).toBe(1);
});

test('an interval that the log lacks is a hole, and what comes after it is exported all the same', () => {
  const author = new Author(90n);
  const tail = tailOf([record([50n, 100n], [author.edit((e) => e.set('title', 'x'))])], finalAt(10n), 100n);
  expect(tail.holes).toEqual([{ incarnation, partition: 0, after: 10n, resumesAt: 50n }]);
  expect(only(tail).changes).toBe(1);
});

test('a counter that began before F is told from one that began after it', () => {
  const older = new Author(0n);
  const before = older.edit((e) => e.increment('likes', 5));
  const after = older.edit((e) => e.increment('likes', 1));
  const more = older.edit((e) => e.increment('likes', 1));
  const records = [record([0n, 30n], [before, after, more])];
  expect(only(tailOf(records, finalAt(10n))).needsBase).toBe(true);
  expect(only(tailOf(records, finalAt(0n))).needsBase).toBe(false);
});

test('lives of which the survivors say nothing are left out, but the present one is not', () => {
  const author = new Author(0n);
  const change = author.edit((e) => e.set('title', 'x'));
  expect(tailOf([record([0n, 10n], [change], { counter: 1, nonce: 3 })], finalAt(0n)).rows).toEqual([]);
  expect(only(tailOf([record([0n, 10n], [change])], [])).changes).toBe(1);
});

test('it is not through before every partition has come as far as was written', () => {
  const tail = tailOf([record([0n, 10n])], finalAt(0n), 20n);
  expect(tail.isThrough).toBe(false);
  tail.take(record([10n, 20n]));
  expect(tail.isThrough).toBe(true);
});

test('what is too much for memory is taken in parts, and every record is in one of them', () => {
  const change = new Author(0n).edit((e) => e.set('title', 'x'.repeat(10_000)));
  const changes = Array.from({ length: 20 }, (_, index) => ({ ...change, index, key: `tenant/${index}` }));
  const records = [record([5n, 30n], changes)];
  expect(() => tailOf(records, finalAt(0n))).toThrow(/takes more than 140000 bytes/);
  const parts = [1, 2, 3, 4].map((number) => tailOf(records, finalAt(0n), 30n, { number, of: 4 }));
  const keys = parts.flatMap(({ rows }) => rows.map(({ key }) => key));
  expect(keys.toSorted()).toEqual(changes.map(({ key }) => key).toSorted());
  for (const { holes, isThrough } of parts) expect([holes.length, isThrough]).toEqual([1, true]);
});

test('a row counts for what it takes beside its change too, and holds no more of the log than that', () => {
  const change = new Author(0n).edit((e) => e.set('title', 'x'));
  const delta = Buffer.concat([change.delta, Buffer.alloc(9000)]).subarray(0, change.delta.length);
  const tail = tailOf([record([0n, 30n], [{ ...change, delta }])], finalAt(0n));
  expect(tail.bytes).toBeGreaterThan(1000);
  expect(only(tail).delta.buffer.byteLength).toBe(change.delta.length);
});
