/**
 * What every `TransferStore` and `TransferJobs` must do, whatever they are made of. States here are plain texts; what
 * merging means is the caller's business.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BeatOf, BeatStore } from '@isthmus/replication/ports/beat-store';
import type { CountedBeat, RecordId } from '@isthmus/replication/ports/change';
import { beginning, type NextRange, type RecordReader } from '@isthmus/replication/ports/record-reader';
import type { DeadLetterStore } from '@isthmus/replication/ports/dead-letter-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { TransferJobs, TransferWish } from '@isthmus/replication/ports/transfer-jobs';
import type { PassedLetter, RefusedState, TransferStore } from '@isthmus/replication/ports/transfer-store';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import { compareIds, digestOf, maxRangeRecords, recordHash } from '@isthmus/replication/record-hash';
import { append, bytes, record, region, text } from './record-store.contract.ts';

export interface OpenTransferStore {
  readonly records: RecordStore;
  readonly beats: Pick<BeatStore, 'storePublished' | 'tryHold' | 'ownBeats'>;
  readonly deadLetters: DeadLetterStore;
  readonly transfers: TransferStore;
  readonly jobs: TransferJobs;
  readonly verifications: VerificationStore;
  readonly close: () => Promise<void>;
}

const origin = region('us');
const incarnation = { counter: 1, nonce: 7 };
const entry = (partition: number, lsn: bigint) => ({ region: origin, incarnation, partition, lsn });
const wish: TransferWish = { donor: origin, origin, cause: 'gap', isDryRun: false };
type Opened = () => OpenTransferStore;

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
    describe('raising', () => raising(now));
    describe('dead letters', () => letters(now));
    describe('what may come ahead', () => ahead(now));
    describe('jobs', () => jobs(now));
    describe('verifications', () => verifications(now));
  });
}

async function fill({ records }: OpenTransferStore, ids: readonly RecordId[], mark = 'x'): Promise<void> {
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
    expect(held.map(({ collection, key, hash }) => [collection, key, text(hash)])).toEqual(
      sorted.map(({ collection, key }, index) => [collection, key, text(hashes[index])]),
    );
    const digest = await now().transfers.digest(range);
    expect([digest.records, text(digest.digest)]).toEqual([6, text(digestOf(hashes))]);
    const [first] = await now().transfers.ranges(beginning);
    expect(text(first?.digest)).toBe(text(digest.digest));
  });

  it('bounds a range on both sides, exclusive and inclusive', async () => {
    await fill(
      now(),
      ['a', 'b', 'c', 'd'].map((key) => record(key)),
    );
    const held = await now().transfers.hashes({ after: record('a'), until: record('c') }, 100);
    expect(held.map(({ key }) => key)).toEqual(['b', 'c']);
    const first = await now().transfers.hashes({ after: record('a'), until: record('d') }, 2);
    expect(first.map(({ key }) => key)).toEqual(['b', 'c']);
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
    const { newest: later } = await beats.ownBeats();
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

function beat(number: number, end: bigint, count: number | null = number): CountedBeat {
  return { number, lsn: end - 1n, atMs: number + 0.5, count, end };
}

/** Puts aside a change of a partition that stands at 5. */
async function letterAt(now: Opened, partition: number, lsn: bigint): Promise<void> {
  const letter = { ...record('a'), partition, lsn, index: 0, delta: bytes('letter') };
  const refused = { ...letter, cause: 'malformed' as const, detail: 'no delta', stampMs: null };
  const positions = [{ incarnation, partition, expected: 5n, applied: 20n, beat: null, nextOffset: 5n }];
  const decide = () => ({ writes: [], deadLetters: [refused] });
  expect(await now().records.applyRemote({ origin, positions, ids: [], decide })).toBe('applied');
}

function row(partition: number, applied: bigint, settled = applied) {
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
    expect(await now().transfers.hashes({ after: beginning, until: record('zzz') }, 9)).toHaveLength(1);
  });

  it('leaves everything as it was where the decision says so', async () => {
    const job = await now().jobs.want(wish);
    expect(await now().transfers.merge({ job, ids: [record('a')], decide: () => null })).toBe(false);
    expect(await now().transfers.ranges(beginning)).toEqual([]);
  });
}

const refusal = (id: RecordId): RefusedState => ({
  ...id,
  state: bytes(`refused ${id.key}`),
  cause: 'clock-too-far-ahead',
  detail: 'an hour',
  stampMs: 1_700_000_000_000,
});

async function refuse(now: Opened, job: number, ids: readonly RecordId[]): Promise<void> {
  await now().transfers.merge({ job, ids, decide: () => ({ writes: [], refused: ids.map(refusal) }) });
}

interface Raise {
  readonly job?: number;
  readonly beats?: readonly BeatOf[];
  readonly vector: readonly ReturnType<typeof entry>[];
  readonly covered?: (delta: string) => boolean;
}

async function raise(
  now: Opened,
  { job, vector, beats = [], covered = () => false }: Raise,
): Promise<readonly string[]> {
  const seen: string[] = [];
  const isRaised = await now().transfers.raise({
    beats,
    floorMs: 0,
    job: job ?? (await now().jobs.want(wish)),
    vector,
    partitionOf: ({ key }) => (key === 'b' ? 1 : 0),
    decide: ({ letters: open }) => {
      seen.splice(0, seen.length, ...open.map(shown));
      return open.map(({ delta }) => covered(text(delta) ?? ''));
    },
  });
  expect(isRaised).toBe(true);
  return seen;
}

function shown({ delta, state, isGivenUp, isRefused }: PassedLetter): string {
  const marks = `${isGivenUp ? ', given up' : ''}${isRefused ? ', refused' : ''}`;
  return `${text(delta)} on ${text(state)}${marks}`;
}

function raising(now: Opened): void {
  it('takes the greater of what was and the vector, and opens what is absent', async () => {
    await now().records.createPosition(row(0, 5n));
    await now().records.createPosition(row(1, 20n));
    await raise(now, { vector: [entry(2, 9n), entry(0, 10n), entry(1, 10n)] });
    expect(await now().records.positions(origin)).toMatchObject([
      { partition: 0, applied: 10n, settled: 10n, nextOffset: 4n },
      { partition: 1, applied: 20n, settled: 20n },
      { partition: 2, applied: 9n, settled: 9n, nextOffset: 0n },
    ]);
  });

  it('settles the beat that a raised partition has passed, and only there (P7)', async () => {
    const older = { ...row(3, 30n), beat: beat(1, 2n) };
    const newer = { ...row(4, 30n), beat: beat(7, 12n) };
    for (const each of [row(0, 5n), row(1, 5n, 3n), row(2, 5n), older, newer])
      await now().records.createPosition(each);
    await letterAt(now, 1, 8n);
    const passed = beat(5, 9n, null);
    await raise(now, {
      vector: [entry(0, 9n), entry(1, 9n), entry(2, 8n)],
      beats: [
        { region: origin, incarnation, beat: passed },
        { region: origin, incarnation: { counter: 2, nonce: 7 }, beat: beat(8, 1n) },
      ],
    });
    const rows = await now().records.positions(origin);
    expect(rows.map((each) => each.beat)).toEqual([passed, null, null, passed, newer.beat]);
  });

  it('fences an applier that is in mid-flight', async () => {
    await now().records.createPosition(row(0, 5n));
    await raise(now, { vector: [entry(0, 10n)] });
    const positions = [{ incarnation, partition: 0, expected: 5n, applied: 6n, beat: null, nextOffset: 5n }];
    const decide = () => ({ writes: [], deadLetters: [] });
    expect(await now().records.applyRemote({ origin, positions, ids: [], decide })).toBe('fenced');
  });

  it("raises the floor of stamps to the donor's, and never lowers it (P8)", async () => {
    const job = await now().jobs.want(wish);
    for (const floorMs of [7000, 5000])
      await now().transfers.raise({
        beats: [],
        floorMs,
        job,
        vector: [],
        partitionOf: () => 0,
        decide: () => [],
      });
    let found = 0;
    await now().records.commitLocal({
      ids: [],
      decide: ({ floorMs }) => {
        found = floorMs;
        return [];
      },
    });
    expect([found, (await now().transfers.standing()).floorMs]).toEqual([7000, 7000]);
  });

  it('raises nothing where the decision says so', async () => {
    await now().records.createPosition(row(0, 5n));
    const job = await now().jobs.want(wish);
    const vector = [entry(0, 10n), entry(1, 10n)];
    expect(
      await now().transfers.raise({
        beats: [],
        floorMs: 0,
        job,
        vector,
        partitionOf: () => 0,
        decide: () => null,
      }),
    ).toBe(false);
    expect(await now().records.positions(origin)).toMatchObject([{ partition: 0, applied: 5n }]);
  });

  it('puts aside what the job had refused, once, and holds `settled` where the partition stood (P6)', async () => {
    for (const partition of [0, 1, 2]) await now().records.createPosition(row(partition, 5n));
    const vector = [entry(0, 10n), entry(1, 5n), entry(2, 10n)];
    for (let turn = 0; turn < 2; turn++) {
      const job = await now().jobs.want(wish);
      await refuse(now, job, [record('a'), record('c'), record('b')]);
      await raise(now, { job, vector });
      await now().jobs.end(job, { state: 'done', detail: '' });
    }
    expect(await now().records.positions(origin)).toMatchObject([
      { partition: 0, applied: 10n, settled: 5n },
      { partition: 1, applied: 5n, settled: 5n },
      { partition: 2, applied: 10n, settled: 10n },
    ]);
    expect(await now().records.countDeadLetters()).toMatchObject([
      { origin, cause: 'clock-too-far-ahead', count: 2 },
    ]);
  });
}

function letters(now: Opened): void {
  const letter = (lsn: bigint) => ({
    ...record('a'),
    partition: 0,
    lsn,
    index: 0,
    delta: bytes(`letter ${lsn}`),
    cause: 'malformed' as const,
    detail: 'no delta',
    stampMs: null,
  });

  async function putAside(lsns: readonly bigint[]): Promise<void> {
    await now().records.createPosition(row(0, 5n));
    const positions = [{ incarnation, partition: 0, expected: 5n, applied: 20n, beat: null, nextOffset: 5n }];
    const decide = () => ({ writes: [], deadLetters: lsns.map(letter) });
    expect(await now().records.applyRemote({ origin, positions, ids: [], decide })).toBe('applied');
  }

  it('that the vector has passed are shown with what is stored, and closed where they are covered', async () => {
    await putAside([7n, 9n, 12n]);
    await fill(now(), [record('a')], 'stored');
    const seen = await raise(now, { vector: [entry(0, 10n)], covered: (delta) => delta === 'letter 7' });
    expect(seen.toSorted()).toEqual(['letter 7 on stored', 'letter 9 on stored']);
    expect(await now().records.positions(origin)).toMatchObject([{ applied: 20n, settled: 8n }]);
    expect(await now().records.countDeadLetters()).toMatchObject([{ origin, cause: 'malformed', count: 2 }]);
  });

  it('that were given up are shown as that, with what was refused, and counted once closed (P4)', async () => {
    await putAside([7n, 9n]);
    const place = { origin, incarnation, partition: 0, lsn: 7n, index: 0 };
    await now().deadLetters.giveUp(place, { reason: 'a bug', isLossAccepted: false });
    const job = await now().jobs.want(wish);
    await refuse(now, job, [record('a')]);
    const vector = [entry(0, 8n)];
    expect(await raise(now, { job, vector })).toEqual(['letter 7 on , given up, refused']);
    expect(await now().deadLetters.fates()).toEqual([{ origin, fate: 'waiting', count: 1 }]);
    expect(await raise(now, { vector, covered: () => true })).toEqual(['letter 7 on , given up']);
    expect(await now().deadLetters.fates()).toEqual([{ origin, fate: 'repaired', count: 1 }]);
    expect(await now().records.positions(origin)).toMatchObject([{ applied: 20n, settled: 8n }]);
  });

  it('of other partitions and incarnations are left alone', async () => {
    await putAside([7n]);
    const other = { region: origin, incarnation: { counter: 2, nonce: 7 }, partition: 0, lsn: 90n };
    expect(await raise(now, { vector: [entry(1, 90n), other], covered: () => true })).toEqual([]);
    expect(await now().records.countDeadLetters()).toMatchObject([{ origin, cause: 'malformed', count: 1 }]);
  });
}

function ahead(now: Opened): void {
  it('is kept until the settled positions cover it (P5)', async () => {
    await now().records.createPosition(row(0, 5n));
    await now().transfers.expect([entry(0, 8n), entry(1, 3n)]);
    await now().transfers.expect([entry(0, 7n)]);
    expect(await now().transfers.forgetCovered([])).toBe(true);
    expect((await now().transfers.standing()).ahead).toEqual(
      expect.arrayContaining([entry(0, 8n), entry(1, 3n)]),
    );
    await raise(now, { vector: [entry(0, 8n), entry(1, 2n)] });
    expect(await now().transfers.forgetCovered([])).toBe(true);
    expect((await now().transfers.standing()).ahead).toEqual([entry(1, 3n)]);
    await raise(now, { vector: [entry(1, 3n)] });
    expect(await now().transfers.forgetCovered([])).toBe(false);
    expect((await now().transfers.standing()).ahead).toEqual([]);
  });

  it('is forgotten where nothing will ever cover it, because its region was retired (P8)', async () => {
    const other = { ...entry(0, 2n), region: region('ap') };
    await now().transfers.expect([entry(0, 8n), other]);
    expect(await now().transfers.forgetCovered([origin])).toBe(true);
    expect((await now().transfers.standing()).ahead).toEqual([other]);
  });
}

function jobs(now: Opened): void {
  it('that are wanted of one donor are one while it is open, a dry run beside it', async () => {
    const first = await now().jobs.want(wish);
    expect(await now().jobs.want({ ...wish, cause: 'repair' })).toBe(first);
    const dry = await now().jobs.want({ ...wish, isDryRun: true });
    const other = await now().jobs.want({ ...wish, donor: region('ap') });
    expect((await now().jobs.open()).map(({ id, cause }) => [id, cause])).toEqual([
      [first, 'gap'],
      [dry, 'gap'],
      [other, 'gap'],
    ]);
    await now().jobs.end(first, { state: 'done', detail: '' });
    expect(await now().jobs.want(wish)).not.toBe(first);
  });

  it('keep their place, for whoever goes on with them', async () => {
    const id = await now().jobs.want(wish);
    await now().jobs.start(id);
    const counts = { examined: 9, differing: 4, merged: 3, refused: 1, bytes: 2 ** 33 };
    const passed = { region: origin, incarnation, beat: beat(9, 2n ** 62n, null) };
    const place = { cursor: record('é😀'), vector: [entry(0, 2n ** 62n)], beats: [passed], counts };
    await now().jobs.note(id, place);
    await now().jobs.postpone(id, 'the link is cut');
    await now().jobs.start(id);
    const found = await now().jobs.find(id);
    expect(found).toMatchObject({ ...wish, id, state: 'running', place, detail: 'the link is cut' });
    expect(found?.startedAtMs).not.toBeNull();
    expect(found?.endedAtMs).toBeNull();
    await now().jobs.note(id, place);
    expect(await now().jobs.find(id)).toMatchObject({ detail: '' });
  });

  it('that have ended stay to be looked at, and do not change any more', async () => {
    const id = await now().jobs.want(wish);
    await now().jobs.end(id, { state: 'failed', detail: 'away' });
    await now().jobs.end(id, { state: 'done', detail: '' });
    await now().jobs.start(id);
    expect(await now().jobs.open()).toEqual([]);
    expect(await now().jobs.recent()).toMatchObject([{ id, state: 'failed', detail: 'away' }]);
    expect(await now().jobs.find(id + 1000)).toBeNull();
  });
}

function verifications(now: Opened): void {
  const peer = region('us');

  it('keep the last clean sweep while a later one finds a divergence', async () => {
    expect(await now().verifications.all()).toEqual([]);
    await now().verifications.ended(peer, { startedAtMs: 1000.5, diverged: 0 });
    expect(await now().verifications.all()).toMatchObject([{ peer, throughMs: 1000.5, diverged: false }]);
    await now().verifications.ended(peer, { startedAtMs: 2000, diverged: 3 });
    expect(await now().verifications.all()).toMatchObject([{ peer, throughMs: 1000.5, diverged: true }]);
    await now().verifications.ended(peer, { startedAtMs: 3000, diverged: 0 });
    expect(await now().verifications.all()).toMatchObject([{ peer, throughMs: 3000, diverged: false }]);
  });

  it('are wanted until a sweep has begun', async () => {
    await now().verifications.want([peer, region('ap')]);
    await now().verifications.began(peer);
    expect(await now().verifications.all()).toMatchObject([
      { peer: 'ap', isWanted: true, throughMs: null, diverged: null, sweptAtMs: null },
      { peer: 'us', isWanted: false },
    ]);
  });
}
