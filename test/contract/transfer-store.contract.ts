/**
 * What every `TransferStore` must do for a donor, and for a receiver until it has everything; what comes after that stands
 * in `transfer-raising.contract.ts`. States here are plain texts; what merging means is the caller's business.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import type { CountedBeat, RecordId } from '@isthmus/replication/ports/change';
import { beginning, type NextRange, type RecordReader } from '@isthmus/replication/ports/record-reader';
import type { DeadLetterStore } from '@isthmus/replication/ports/dead-letter-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { TransferJobs, TransferWish } from '@isthmus/replication/ports/transfer-jobs';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import { compareIds, digestOf, maxRangeRecords, recordHash } from '@isthmus/replication/record-hash';
import { append, bytes, record, region, text } from './record-store.contract.ts';

export interface OpenTransferStore {
  readonly records: RecordStore;
  readonly beats: Pick<BeatStore, 'storePublished' | 'tryHold' | 'overview'>;
  readonly deadLetters: DeadLetterStore;
  readonly transfers: TransferStore;
  readonly jobs: TransferJobs;
  readonly close: () => Promise<void>;
}

export const origin = region('us');
export const incarnation = { counter: 1, nonce: 7 };
export const entry = (partition: number, lsn: bigint) => ({ region: origin, incarnation, partition, lsn });
export const wish: TransferWish = { donor: origin, origin, cause: 'gap', isDryRun: false };
export type Opened = () => OpenTransferStore;

export function transferStoreContract(name: string, open: () => Promise<OpenTransferStore>): void {
  describe(`TransferStore: ${name}`, () => {
    let opened: OpenTransferStore;
    const now: Opened = () => opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });
    describe('reading', () => reading(now));
    describe('snapshots', () => snapshots(now));
    describe('merging', () => merging(now));
  });
}

export async function fill(
  { records }: OpenTransferStore,
  ids: readonly RecordId[],
  mark = 'x',
): Promise<void> {
  for (let at = 0; at < ids.length; at += 500)
    await records.commitLocal(append(ids.slice(at, at + 500), mark));
}

async function allRanges(reader: RecordReader): Promise<readonly NextRange[]> {
  const found: NextRange[] = [];
  for (;;) {
    const next = await reader.ranges(found.at(-1)?.until ?? beginning);
    if (next.length === 0) return found;
    found.push(...next);
  }
}

const odd = [
  record('a'),
  record('é'),
  record('😀'),
  record('\ue000'),
  record('b', 'ant'),
  record('z', 'zoo'),
];

function reading(now: Opened): void {
  it('cuts all records into ranges that follow one another, in order of UTF-8 bytes', async () => {
    const many = Array.from({ length: maxRangeRecords + 40 }, (_, index) => record(`k${index}`));
    await fill(now(), [...many, ...odd]);
    const ranges = await allRanges(now().transfers);
    expect(ranges.map(({ records }) => records)).toEqual([maxRangeRecords, 46]);
    const last = odd.toSorted(compareIds).at(-1);
    expect(ranges.at(-1)?.until).toEqual(last);
    expect(await now().transfers.ranges(record('z', 'zoo'))).toEqual([]);
  });

  it('keeps ranges of large states small', async () => {
    for (const key of ['a', 'b', 'c']) await fill(now(), [record(key)], 'x'.repeat(700_000));
    const ranges = await allRanges(now().transfers);
    expect(ranges.map(({ until, records }) => [until.key, records])).toEqual([
      ['b', 2],
      ['c', 1],
    ]);
  });

  it('computes the hashes and digests that all regions compute', async () => {
    await fill(now(), odd);
    const sorted = odd.toSorted(compareIds);
    const hashes = sorted.map((id) => recordHash({ ...id, state: bytes('x') }));
    const range = { after: beginning, until: record('z', 'zoo') };
    const held = await now().transfers.hashes(range, 100);
    expect(held.records.map(({ collection, key, hash }) => [collection, key, text(hash)])).toEqual(
      sorted.map(({ collection, key }, index) => [collection, key, text(hashes[index])]),
    );
    const digest = await now().transfers.digest(range);
    expect([digest.records, text(digest.digest)]).toEqual([6, text(digestOf(hashes))]);
    const [first] = await now().transfers.ranges(beginning);
    expect(text(first?.digest)).toBe(text(digest.digest));
  });

  it('hashes no more bytes at once than one reading has, however large the range is (I12)', async () => {
    const size = 900_000;
    const ids = Array.from({ length: 7 }, (_, index) => record(`k${index}`));
    for (const id of ids) await fill(now(), [id], 'x'.repeat(size));
    const range = { after: beginning, until: record('z') };
    const read: string[][] = [];
    for (let after = range.after; after.key !== range.until.key; ) {
      const { records, through } = await now().transfers.hashes({ after, until: range.until }, 100);
      read.push(records.map(({ key }) => key));
      after = through;
    }
    expect(read).toEqual([
      ['k0', 'k1', 'k2', 'k3', 'k4'],
      ['k5', 'k6'],
    ]);
    const [first] = await now().transfers.ranges(beginning);
    const whole = { after: beginning, until: first?.until ?? range.until };
    expect(await now().transfers.digest(whole)).toMatchObject({ records: 2, digest: first?.digest });
    const { records, digest } = await now().transfers.digest(range);
    expect([records, text(digest)]).toEqual([2, text(first?.digest)]);
  });

  it('bounds a range on both sides, exclusive and inclusive', async () => {
    await fill(
      now(),
      ['a', 'b', 'c', 'd'].map((key) => record(key)),
    );
    const held = await now().transfers.hashes({ after: record('a'), until: record('c') }, 100);
    expect([held.records.map(({ key }) => key), held.through.key]).toEqual([['b', 'c'], 'c']);
    const first = await now().transfers.hashes({ after: record('a'), until: record('d') }, 2);
    expect([first.records.map(({ key }) => key), first.through.key]).toEqual([['b', 'c'], 'c']);
    const none = await now().transfers.hashes({ after: record('x'), until: record('y') }, 2);
    expect([none.records, none.through.key]).toEqual([[], 'y']);
    expect(await now().transfers.digest({ after: record('x'), until: record('y') })).toMatchObject({
      records: 0,
    });
  });

  it('sees every change of a state in the digest', async () => {
    await fill(now(), odd);
    const range = { after: beginning, until: record('z', 'zoo') };
    const before = await now().transfers.digest(range);
    await fill(now(), [record('é')], 'y');
    expect(text((await now().transfers.digest(range)).digest)).not.toBe(text(before.digest));
  });

  it('reads states in the order of the ids, empty where nothing is stored', async () => {
    for (const [index, id] of odd.entries()) await fill(now(), [id], `${index}`);
    const ids = [record('b', 'ant'), record('none'), record('😀'), record('a')];
    expect((await now().transfers.states(ids)).map(text)).toEqual(['4', '', '2', '0']);
    expect(await now().transfers.states([])).toEqual([]);
  });
}

function snapshots(now: Opened): void {
  it('show what was there when they were opened', async () => {
    await fill(now(), [record('a')]);
    const snapshot = await now().transfers.openSnapshot();
    await fill(now(), [record('a'), record('b')], 'y');
    expect((await snapshot.states([record('a'), record('b')])).map(text)).toEqual(['x', '']);
    expect((await snapshot.ranges(beginning)).map(({ records }) => records)).toEqual([1]);
    await snapshot.close();
    await snapshot.close();
    expect((await now().transfers.states([record('a')])).map(text)).toEqual(['xy']);
  });

  it('say how far they reach', async () => {
    expect(await now().transfers.standing()).toMatchObject({
      isEmpty: true,
      settled: [],
      ahead: [],
      horizon: [],
    });
    await now().records.createPosition(row(0, 5n, 3n));
    const committed = await now().records.commitLocal(append([record('a')], 'x'));
    const standing = await now().transfers.standing();
    expect(standing).toMatchObject({ isEmpty: false, settled: [entry(0, 3n)], applied: [entry(0, 5n)] });
    expect(standing.insertLsn >= (committed?.end ?? 0n)).toBe(true);
    expect(committed?.seen).toEqual({ applied: [entry(0, 5n)], ahead: [] });
  });

  it('name the newest beat that all partitions have settled, for each life (P7)', async () => {
    const life = { counter: 2, nonce: 7 };
    const rows = [
      { ...row(0, 5n), beat: beat(3, 4n) },
      { ...row(1, 5n), beat: beat(2, 3n) },
      { ...row(0, 5n), incarnation: life, beat: beat(1, 2n) },
      { ...row(1, 5n), incarnation: life, beat: null },
    ];
    for (const each of rows) await now().records.createPosition(each);
    const { beats } = await now().transfers.standing();
    expect(beats).toEqual([{ region: origin, incarnation, beat: beat(2, 3n) }]);
  });

  it('are told what the own log holds as it is by then, not as it was when they were opened (P7)', async () => {
    const { beats, transfers } = now();
    expect(await transfers.published(2n ** 62n)).toBeNull();
    await beats.storePublished([beat(3, 40n), beat(4, 50n, null), beat(5, 60n)]);
    expect(await transfers.published(39n)).toEqual({ through: 60n, passed: null });
    expect(await transfers.published(50n)).toEqual({ through: 60n, passed: beat(4, 50n, null) });
    expect(await transfers.published(59n)).toEqual({ through: 60n, passed: beat(4, 50n, null) });
    expect(await transfers.published(2n ** 62n)).toEqual({ through: 60n, passed: beat(5, 60n) });
  });

  it('name a beat that a lost slot had not read, because it ended before the next one began (P7)', async () => {
    const { beats, transfers } = now();
    const hold = await beats.tryHold();
    for (let written = 0; written < 4; written++) await hold?.beat();
    const { newest: later } = (await beats.overview()).own;
    if (later === null) expect.fail('there are beats');
    await beats.storePublished([beat(1, 2n)]);
    const { through, passed } = (await transfers.published(later.lsn)) ?? expect.fail('it is published');
    expect([through, passed]).toMatchObject([2n, { number: 3, end: later.lsn, count: null }]);
    expect(passed?.atMs).toBeLessThanOrEqual(later.atMs);
    // The place of the beat before it was read before it, so one step further back is all that is known there.
    const before = await transfers.published(passed?.lsn ?? 0n);
    expect(before?.passed).toMatchObject({ number: 2, end: passed?.lsn, count: null });
    const first = await transfers.published(0n);
    expect(first?.passed).toBeNull();
    await hold?.release();
  });
}

export function beat(number: number, end: bigint, count: number | null = number): CountedBeat {
  return { number, lsn: end - 1n, atMs: number + 0.5, count, end };
}

export function row(partition: number, applied: bigint, settled = applied) {
  return { origin, incarnation, partition, applied, settled, beat: null, nextOffset: 4n };
}

function merging(now: Opened): void {
  it('writes what was decided on the locked states', async () => {
    await fill(now(), [record('a')]);
    const job = await now().jobs.want(wish);
    let seen: readonly (string | null)[] = [];
    const isMerged = await now().transfers.merge({
      job,
      ids: [record('b'), record('a')],
      decide: ({ states }) => {
        seen = states.map(text);
        return { writes: [{ index: 1, state: bytes('merged') }], refused: [] };
      },
    });
    expect([isMerged, seen]).toEqual([true, ['', 'x']]);
    expect((await now().transfers.states([record('a'), record('b')])).map(text)).toEqual(['merged', '']);
    const { records } = await now().transfers.hashes({ after: beginning, until: record('zzz') }, 9);
    expect(records).toHaveLength(1);
  });

  it('leaves everything as it was where the decision says so', async () => {
    const job = await now().jobs.want(wish);
    expect(await now().transfers.merge({ job, ids: [record('a')], decide: () => null })).toBe(false);
    expect(await now().transfers.ranges(beginning)).toEqual([]);
  });
}
