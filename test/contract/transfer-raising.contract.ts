/**
 * What every `TransferStore` must do once a transfer has covered everything (P6): positions are raised, what is really
 * covered is not put aside any more, and what may have come ahead of positions is known until they have caught up (P5).
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BeatOf } from '@isthmus/replication/ports/beat-store';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { PassedLetter, RefusedState } from '@isthmus/replication/ports/transfer-store';
import type { WholePast } from '@isthmus/replication/ports/vector';
import { bytes, record, region, text } from './record-store.contract.ts';
import {
  beat,
  entry,
  fill,
  incarnation,
  type Opened,
  type OpenTransferStore,
  origin,
  row,
  wish,
} from './transfer-store.contract.ts';

export function transferRaisingContract(name: string, open: () => Promise<OpenTransferStore>): void {
  describe(`raising by TransferStore: ${name}`, () => {
    let opened: OpenTransferStore;
    const now: Opened = () => opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });
    describe('raising', () => raising(now));
    describe('dead letters', () => letters(now));
    describe('what may come ahead', () => ahead(now));
  });
}

/** Puts aside a change of a partition that stands at 5. */
async function letterAt(now: Opened, partition: number, lsn: bigint): Promise<void> {
  const letter = { ...record('a'), partition, lsn, index: 0, delta: bytes('letter') };
  const refused = { ...letter, cause: 'malformed' as const, detail: 'no delta', stampMs: null };
  const positions = [{ incarnation, partition, expected: 5n, applied: 20n, beat: null, nextOffset: 5n }];
  const decide = () => ({ writes: [], deadLetters: [refused] });
  expect(await now().records.applyRemote({ origin, positions, ids: [], decide })).toBe('applied');
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
  readonly whole?: readonly WholePast[];
  readonly vector: readonly ReturnType<typeof entry>[];
  readonly covered?: (delta: string) => boolean;
}

async function raise(
  now: Opened,
  { job, vector, whole = [], beats = [], covered = () => false }: Raise,
): Promise<readonly string[]> {
  const seen: string[] = [];
  const isRaised = await now().transfers.raise({
    region: region('eu'),
    given: [],
    whole,
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

  it('settles the beat of an earlier transfer once what that had put aside is covered by a later one (P7)', async () => {
    await now().records.createPosition({ ...row(0, 5n), beat: beat(1, 4n) });
    const turn = async (lsn: bigint, number: number, covered: (delta: string) => boolean): Promise<void> => {
      const job = await now().jobs.want(wish);
      const id = record(`a${number}`);
      await refuse(now, job, [id]);
      const beats = [{ region: origin, incarnation, beat: beat(number, lsn) }];
      await raise(now, { job, beats, vector: [entry(0, lsn)], covered });
      await now().jobs.end(job, { state: 'done', detail: '' });
    };
    await turn(10n, 3, () => false);
    expect(await now().records.positions(origin)).toMatchObject([{ settled: 5n, beat: { number: 1 } }]);
    await turn(20n, 6, (delta) => delta === 'refused a3');
    expect(await now().records.positions(origin)).toMatchObject([{ settled: 10n, beat: { number: 3 } }]);
    await raise(now, { vector: [entry(0, 20n)], covered: () => true });
    expect(await now().records.positions(origin)).toMatchObject([{ settled: 20n, beat: { number: 6 } }]);
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
        region: region('eu'),
        given: [],
        whole: [],
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
        region: region('eu'),
        given: [],
        whole: [],
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
      { origin, cause: 'clock-too-far-ahead', count: 3 },
    ]);
  });

  it('puts nothing aside that was refused before a pass of the job began anew (P6, P8)', async () => {
    await now().records.createPosition(row(0, 5n));
    const job = await now().jobs.want(wish);
    const other = await now().jobs.want({ ...wish, donor: region('ap') });
    await refuse(now, job, [record('a')]);
    await refuse(now, other, [record('c')]);
    await now().transfers.beginPass(job);
    await raise(now, { job, vector: [entry(0, 10n)] });
    expect(await now().records.positions(origin)).toMatchObject([{ applied: 10n, settled: 10n }]);
    expect(await now().records.countDeadLetters()).toEqual([]);
    await raise(now, { job: other, vector: [entry(0, 12n)] });
    expect(await now().records.positions(origin)).toMatchObject([{ applied: 12n, settled: 10n }]);
  });

  it('stops the newest life of the donor where the log had overtaken the snapshot, which no log explains (P6, P9)', async () => {
    const earlier = { ...incarnation, counter: incarnation.counter - 1 };
    const lives = [
      { ...row(0, 12n), incarnation: earlier },
      row(0, 12n),
      row(1, 12n),
      { ...row(0, 12n), origin: region('ap') },
    ];
    for (const each of lives) await now().records.createPosition(each);
    const vector = [
      { ...entry(0, 9n), incarnation: earlier },
      entry(0, 10n),
      entry(1, 10n),
      { ...entry(0, 10n), region: region('ap') },
    ];
    const job = await now().jobs.want(wish);
    await refuse(now, job, [record('a')]);
    await raise(now, { job, vector });
    const positions = [
      { incarnation, partition: 0, expected: 12n, applied: 20n, beat: null, nextOffset: 9n },
    ];
    const decide = () => ({ writes: [], deadLetters: [] });
    expect(await now().records.applyRemote({ origin, positions, ids: [], decide })).toBe('applied');
    expect(await now().records.countDeadLetters()).toMatchObject([
      { origin, cause: 'clock-too-far-ahead', count: 1 },
    ]);
    const rows = await now().records.positions(origin);
    expect(rows.filter((each) => each.incarnation.counter === incarnation.counter)).toMatchObject([
      { partition: 0, applied: 20n, settled: 12n },
      { partition: 1, applied: 12n, settled: 12n },
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

  it('on large records are looked at as far as one transaction may read, each record once, oldest first (I12)', async () => {
    const keys = ['a', 'a', 'b', 'c', 'a', 'd', 'b'];
    await now().records.createPosition(row(0, 5n));
    const sizeBytes = 5 * 1024 * 1024;
    for (const key of new Set(keys))
      await now().records.commitLocal({
        ids: [record(key)],
        decide: () => [{ index: 0, state: Buffer.alloc(sizeBytes, key), delta: bytes('d') }],
      });
    const open = keys.map((key, at) => ({ ...letter(BigInt(6 + at)), ...record(key) }));
    const positions = [{ incarnation, partition: 0, expected: 5n, applied: 20n, beat: null, nextOffset: 5n }];
    const decide = () => ({ writes: [], deadLetters: open });
    expect(await now().records.applyRemote({ origin, positions, ids: [], decide })).toBe('applied');
    const seen = await raise(now, { vector: [entry(0, 30n)], covered: () => true });
    expect(seen.map((shownLetter) => shownLetter.slice(0, 13))).toEqual([
      'letter 6 on a',
      'letter 7 on a',
      'letter 8 on b',
      'letter 9 on c',
      'letter 10 on ',
    ]);
    expect(seen[0]).toHaveLength('letter 6 on '.length + sizeBytes);
    expect(await now().records.countDeadLetters()).toMatchObject([{ count: 2 }]);
    expect(await now().records.positions(origin)).toMatchObject([{ applied: 30n, settled: 10n }]);
    expect(await raise(now, { vector: [entry(0, 30n)], covered: () => true })).toHaveLength(2);
    expect(await now().records.positions(origin)).toMatchObject([{ settled: 30n }]);
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

  it('of a past that is whole here stays for those who have not got it, and is waited for no more (P9)', async () => {
    await now().records.createPosition(row(0, 5n));
    await now().transfers.expect([entry(0, 8n)]);
    const whole = [{ region: origin, before: 2 }];
    await raise(now, { vector: [entry(0, 5n)], whole: [{ region: origin, before: 1 }] });
    expect(await now().transfers.forgetCovered([]), 'a past before that').toBe(true);
    await raise(now, { vector: [entry(0, 5n)], whole });
    await raise(now, { vector: [entry(0, 5n)], whole: [{ region: origin, before: 1 }] });
    expect(await now().transfers.forgetCovered([])).toBe(false);
    expect(await now().transfers.standing()).toMatchObject({ whole, ahead: [entry(0, 8n)] });
    await letterAt(now, 0, 7n);
    expect((await now().transfers.standing()).whole, 'a change of it lies aside').toEqual([]);
    expect(await now().transfers.forgetCovered([])).toBe(true);
    await raise(now, { vector: [entry(0, 9n)], covered: () => true });
    expect((await now().transfers.standing()).whole).toEqual(whole);
  });

  it('is waited for where a state was refused of what was whole at the donor (P9)', async () => {
    await now().transfers.expect([entry(0, 8n)]);
    const job = await now().jobs.want(wish);
    await refuse(now, job, [record('a')]);
    await raise(now, { job, vector: [entry(0, 5n)], whole: [{ region: origin, before: 2 }] });
    await raise(now, { vector: [entry(0, 9n)], covered: () => true });
    expect((await now().transfers.standing()).whole).toEqual([]);
  });

  it('is forgotten where nothing will ever cover it, because its region was retired (P8)', async () => {
    const other = { ...entry(0, 2n), region: region('ap') };
    await now().transfers.expect([entry(0, 8n), other]);
    expect(await now().transfers.forgetCovered([origin])).toBe(true);
    expect((await now().transfers.standing()).ahead).toEqual([other]);
  });
}
