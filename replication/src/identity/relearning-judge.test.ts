/** What a new incarnation waits for before its first write (P9), one view after the other. */
import { expect, test } from 'vitest';
import { encodeLogRecord, decodeLogRecord, type LogRecord } from '../log/log-record.ts';
import type { FeedBatch } from '../ports/change-feed.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { PastFeed } from './past-feed.ts';
import { describeRelearning, judgeRelearning, type RelearningView } from './relearning-judge.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const ap = parseRegionId('ap') ?? expect.fail('ap is a region');
const former = { counter: 1, nonce: 7 };
const present = { counter: 2, nonce: 9 };

function at(region: typeof eu, lsn: bigint, partition = 0, counter = 1): VectorEntry {
  return { region, incarnation: { counter, nonce: 7 }, partition, lsn };
}

function both(region: typeof eu, lsn: bigint): Vector {
  return [at(region, lsn, 0), at(region, lsn, 1)];
}

function heldTo(vector: Vector) {
  return { vector, ahead: vector };
}

function view(of: Partial<RelearningView> = {}): RelearningView {
  return {
    region: eu,
    partitionCount: 2,
    peers: [us],
    relearning: {
      pasts: [{ incarnation: former, through: 10n }],
      promised: both(us, 40n),
      sinceMs: 0,
      firstJob: 1,
      fill: null,
      isOpen: false,
    },
    log: { through: new Set([0, 1]), ends: both(eu, 90n), hasGap: false },
    applied: [...both(eu, 90n), ...both(us, 40n)],
    settled: [...both(eu, 90n), ...both(us, 40n)],
    beats: [],
    closed: [],
    retired: [],
    fetched: new Set(),
    refused: new Set(),
    failed: new Set(),
    held: new Map([[us, heldTo(both(eu, 90n))]]),
    others: new Map([[us, []]]),
    isPatienceOver: false,
    ...of,
  };
}

const whole = view();
const promised = whole.relearning.promised;

test('it takes writes once the log is read and applied and the promise is kept', () => {
  expect(judgeRelearning(whole)).toEqual({ kind: 'learnt', lost: [], isWhole: false });
});

test.each<readonly [string, RelearningView, string]>([
  [
    'a partition that is not read through',
    view({ log: { ...logOf(whole), through: new Set([0]) } }),
    'reading',
  ],
  ['what is read and not applied', view({ applied: [at(eu, 89n, 0), at(eu, 90n, 1)] }), 'applying'],
  ['a gap in the log', view({ log: { ...logOf(whole), hasGap: true } }), 'fetching'],
  [
    'a life that a partition has nothing of',
    view({ log: { ...logOf(whole), ends: [at(eu, 90n, 0)] } }),
    'fetching',
  ],
  ['a log that went back with the database', view({ log: null }), 'fetching'],
  ['a peer that has not said how far it is', view({ held: new Map() }), 'asking'],
  [
    'a peer that holds more than the log',
    view({ held: new Map([[us, heldTo([at(eu, 91n, 1)])]]) }),
    'fetching',
  ],
  ['a promise that nobody knows', view({ relearning: { ...whole.relearning, promised: null } }), 'fetching'],
  ['a promise that is not settled', view({ settled: [at(us, 39n, 0), at(us, 40n, 1)] }), 'promised'],
])('it waits for %s', (_, waiting, kind) => {
  const judgement = judgeRelearning(waiting);
  expect(judgement.kind).toBe(kind);
  expect(describeRelearning(judgement)).toMatch(/own log|peers|fetched/);
});

test('a peer that is gone for good is not waited for, but what it was promised is (P8)', () => {
  const gone = { log: null, closed: [us] };
  expect(judgeRelearning(view(gone))).toMatchObject({ kind: 'learnt' });
  expect(judgeRelearning(view({ ...gone, settled: [] })).kind).toBe('promised');
  expect(judgeRelearning(view({ ...gone, peers: [us, ap] }))).toEqual({ kind: 'fetching', peers: [ap] });
});

test('what every peer was asked for and none had is lost, and does not hold writes for ever', () => {
  const applied = [at(eu, 50n, 0), at(eu, 90n, 1)];
  const held = new Map([[us, heldTo(applied)]]);
  const asked = view({ log: { ...logOf(whole), hasGap: true }, applied, held, fetched: new Set([us]) });
  expect(judgeRelearning(asked)).toMatchObject({ kind: 'learnt', lost: [at(eu, 90n, 0)] });
});

test('what a reader passed over for a hole before the start of the next life is fetched, and else lost (P9)', () => {
  const later = [at(eu, 95n, 0, 2), at(eu, 95n, 1, 2)];
  const ends = [...both(eu, 90n), ...later];
  const passed = { log: { ...logOf(whole), ends }, applied: [at(eu, 90n, 0), ...later] };
  expect(judgeRelearning(view(passed))).toEqual({ kind: 'fetching', peers: [us] });
  const given = { ...passed, fetched: new Set([us]), held: new Map([[us, heldTo([])]]) };
  expect(judgeRelearning(view(given))).toMatchObject({ kind: 'learnt', lost: [at(eu, 90n, 1)] });
  const onItsWay = { ...passed, applied: [at(eu, 90n, 0), at(eu, 95n, 0, 2)] };
  expect(judgeRelearning(view(onItsWay)).kind).toBe('applying');
});

test('a log that lost its newest records shows no hole, so who has read them gives them', () => {
  const ahead = { held: new Map([[us, heldTo(both(eu, 91n))]]), isPatienceOver: true };
  expect(judgeRelearning(view({ ...ahead, peers: [us, ap] }))).toEqual({ kind: 'fetching', peers: [us] });
  expect(judgeRelearning(view({ ...ahead, fetched: new Set([us]) })).kind).toBe('learnt');
});

test('who has given everything may have taken more of the past since, until it reads the present (I7)', () => {
  const given = { log: null, fetched: new Set([us]), peers: [us, ap], closed: [ap] };
  expect(judgeRelearning(view({ ...given, held: new Map() }))).toEqual({ kind: 'asking', peers: [us] });
  const ahead = new Map([[us, heldTo(both(eu, 91n))]]);
  expect(judgeRelearning(view({ ...given, held: ahead }))).toEqual({ kind: 'fetching', peers: [us] });
  expect(judgeRelearning(view(given))).toMatchObject({ kind: 'learnt', lost: [] });
});

test('nothing is learnt while a peer is there of which nothing can be taken, however long it is asked (I6)', () => {
  const stranded = { failed: new Set([us]), held: new Map(), isPatienceOver: true };
  expect(judgeRelearning(view(stranded))).toEqual({ kind: 'fetching', peers: [us] });
  const others = { ...stranded, peers: [us, ap], fetched: new Set([ap]) };
  expect(judgeRelearning(view(others))).toEqual({ kind: 'fetching', peers: [us] });
  expect(judgeRelearning(view({ ...stranded, closed: [us] })).kind).toBe('learnt');
});

test('the past is whole where everybody has given everything, and nothing of that lies aside (I9)', () => {
  const given = { log: null, fetched: new Set([us]) };
  expect(judgeRelearning(view(given))).toMatchObject({ isWhole: true });
  expect(judgeRelearning(view({ ...given, refused: new Set([us]) }))).toMatchObject({ isWhole: false });
  const silent = { ...given, held: new Map(), isPatienceOver: true };
  expect(judgeRelearning(view(silent)), 'it may come further').toMatchObject({ isWhole: false });
  const gone = { ...given, peers: [us, ap], closed: [ap], refused: new Set([ap]) };
  expect(judgeRelearning(view(gone))).toMatchObject({ isWhole: true });
});

test('what a transfer may have brought beyond the log makes everybody give everything, if nobody is silent (I8)', () => {
  const further = { ...heldTo(both(eu, 90n)), ahead: both(eu, 91n) };
  const ahead = {
    peers: [us, ap],
    held: new Map([
      [us, further],
      [ap, heldTo([])],
    ]),
  };
  expect(judgeRelearning(view(ahead))).toEqual({ kind: 'fetching', peers: [us, ap] });
  const fetched = new Set([us, ap]);
  expect(judgeRelearning(view({ ...ahead, fetched }))).toMatchObject({ kind: 'learnt', isWhole: true });
  const silent = { ...ahead, held: new Map([[us, further]]), isPatienceOver: true };
  expect(judgeRelearning(view(silent))).toMatchObject({ kind: 'learnt', isWhole: false });
});

test('who does not say how far it is holds nobody for ever, and who is gone for good nobody at all (I8)', () => {
  const silent = { peers: [us, ap], held: new Map([[us, heldTo(both(eu, 80n))]]) };
  expect(judgeRelearning(view(silent))).toEqual({ kind: 'asking', peers: [ap] });
  expect(judgeRelearning(view({ ...silent, isPatienceOver: true })).kind).toBe('learnt');
  expect(judgeRelearning(view({ ...silent, closed: [ap] })).kind).toBe('learnt');
});

test('a promise about a former peer, or of a former life of a peer, holds nobody', () => {
  expect(judgeRelearning(view({ peers: [], settled: [] })).kind).toBe('learnt');
  const renewed = view({ settled: [at(us, 1n, 0, 2), at(us, 1n, 1, 2)] });
  expect(promised).not.toBeNull();
  expect(judgeRelearning(renewed).kind).toBe('learnt');
});

test("what was promised beyond the end of a retired region is nobody's once all up to there has settled here (P8)", () => {
  const ended = { log: null, peers: [us, ap], closed: [us], fetched: new Set([ap]), settled: both(us, 39n) };
  const others = { held: new Map([[ap, heldTo(both(eu, 90n))]]), others: new Map([[ap, both(us, 39n)]]) };
  expect(judgeRelearning(view({ ...ended, ...others })).kind).toBe('promised');
  expect(judgeRelearning(view({ ...ended, ...others, retired: [us] })).kind).toBe('learnt');
});

test('a promise about a former life of a peer is kept by whoever still holds what was promised (I6)', () => {
  const settled = [...both(us, 39n), at(us, 1n, 0, 2), at(us, 1n, 1, 2)];
  const holding = (lsn: bigint, fetched: readonly (typeof eu)[] = []) => {
    const held = new Map([us, ap].map((peer) => [peer, heldTo([])] as const));
    const others = new Map([
      [us, both(us, 39n)],
      [ap, both(us, lsn)],
    ]);
    return judgeRelearning(view({ peers: [us, ap], settled, held, others, fetched: new Set(fetched) }));
  };
  expect(holding(40n)).toEqual({ kind: 'fetching', peers: [ap] });
  expect(holding(39n).kind, 'nobody holds more').toBe('learnt');
  expect(holding(40n, [ap]).kind, 'what it has was given, and lies aside').toBe('learnt');
});

test('a promise about a later life is kept once the lives before it were given as well (I6)', () => {
  const settled = [at(us, 40n, 0, 2), at(us, 40n, 1, 2)];
  const relearnt = { settled, relearning: { ...whole.relearning, promised: settled } };
  const [missing] = settled;
  expect(judgeRelearning(view(relearnt))).toEqual({ kind: 'promised', missing });
  const given = (counter: number) => [
    {
      region: us,
      incarnation: { counter, nonce: 7 },
      beat: { number: 1, lsn: 1n, atMs: 0, count: 0, end: 1n },
    },
  ];
  expect(judgeRelearning(view({ ...relearnt, beats: given(1) })).kind).toBe('promised');
  expect(judgeRelearning(view({ ...relearnt, beats: given(2) })).kind).toBe('learnt');
  expect(judgeRelearning(view({ ...relearnt, beats: given(3) })).kind).toBe('learnt');
  expect(judgeRelearning(view({ ...relearnt, closed: [us] })).kind).toBe('learnt');
});

test('whose former life it was is asked whether it holds what was promised, for as long as it takes (I6)', () => {
  const settled = [...both(us, 39n), at(us, 1n, 0, 2), at(us, 1n, 1, 2)];
  const waiting = { peers: [us, ap], settled, held: new Map(), isPatienceOver: true };
  const others = new Map([[ap, []]]);
  expect(judgeRelearning(view({ ...waiting, others }))).toEqual({ kind: 'asking', peers: [us] });
  const holding = new Map([[us, both(us, 40n)]]);
  expect(judgeRelearning(view({ ...waiting, others: holding }))).toEqual({ kind: 'fetching', peers: [us] });
  expect(judgeRelearning(view({ ...waiting, others: new Map([[us, []]]) })).kind).toBe('learnt');
  expect(judgeRelearning(view({ ...waiting, others, closed: [us] })).kind).toBe('learnt');
  expect(judgeRelearning(view({ ...waiting, others, fetched: new Set([us]) })).kind).toBe('learnt');
});

function logOf({ log }: RelearningView): NonNullable<RelearningView['log']> {
  return log ?? expect.fail('there is a log');
}

function changes(from: bigint, to: bigint, incarnation = former): LogRecord {
  return { kind: 'changes', origin: eu, incarnation, partition: 0, from, to, beats: [], changes: [] };
}

function start(atLsn: bigint, incarnation = former): LogRecord {
  return { kind: 'start', origin: eu, incarnation, partition: 0, partitionCount: 1, at: atLsn };
}

/** What an applier gets of these records of partition 0, and the feed afterwards. */
async function fed(records: readonly LogRecord[], through: bigint, horizon: Vector = []) {
  const batch: FeedBatch = {
    partition: 0,
    records: records.map((record, offset) => ({ offset: BigInt(offset), bytes: encodeLogRecord(record) })),
  };
  const batches = [batch];
  const log = {
    subscribe: () => ({
      connected: true,
      next: async () => batches.shift() ?? null,
      rewind: async () => 0n,
      close: async () => {},
    }),
  };
  const pasts = [{ incarnation: former, through }];
  const feed = new PastFeed({ region: eu, incarnation: present, pasts, horizon, log });
  const given = (await feed.subscribe(eu, [5n]).next())?.records ?? [];
  return {
    feed,
    given: given.map(({ bytes }) => decodeLogRecord(bytes)),
    offsets: given.map(({ offset }) => offset),
  };
}

test('the past ends where the present begins, and nothing of the present is given', async () => {
  const { feed, given } = await fed(
    [start(5n), changes(5n, 20n), start(100n, present), changes(100n, 110n, present), changes(20n, 30n)],
    0n,
  );
  expect(given).toEqual([start(5n), changes(5n, 20n), changes(20n, 30n)]);
  const ended = await fed(
    [start(5n), changes(9n, 20n), start(100n, present), changes(100n, 110n, present)],
    0n,
  );
  expect(ended.given.slice(0, 2)).toEqual([start(5n), changes(9n, 20n)]);
  // Who reads again decides at the log's end, and there hears once more what does not fit.
  expect(ended.given.slice(2)).toEqual([changes(9n, 20n)]);
  expect(ended.offsets.at(-1)).toBe(3n);
  expect([...feed.through]).toEqual([0]);
  expect(feed.ends).toEqual([at(eu, 30n)]);
});

test('a life begins where the database surely holds it, also where its start is gone', async () => {
  const known = { ...start(8n), partitionCount: 0 };
  expect((await fed([start(5n), changes(5n, 20n)], 8n)).given).toEqual([known, start(5n), changes(5n, 20n)]);
  expect((await fed([changes(8n, 20n), changes(20n, 30n)], 8n)).given[0]).toEqual(known);
  expect((await fed([changes(9n, 20n)], 8n)).given).toEqual([changes(9n, 20n)]);
});

test('nothing is given again that the collection of tombstones has made final (I6)', async () => {
  const { given } = await fed([start(5n), changes(5n, 20n)], 8n, [at(eu, 12n), at(eu, 19n, 1), at(us, 30n)]);
  expect(given[0]).toMatchObject({ kind: 'start', at: 12n });
});
