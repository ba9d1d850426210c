/** What no column takes, or no message of ours may repeat, passes no decoder, whoever sealed or signed it (I12). */
import { describe, expect, it, test } from 'vitest';
import { emptyOffer } from '../adapters/memory/empty-offer.ts';
import type { CountedBeat } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Offer, TransferAnswer } from '../ports/transfer-peer.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { silence } from './barrier-word.ts';
import { decodeClaim, encodeClaim } from './claim-record.ts';
import { decodeLogRecord, encodeLogRecord, type LogRecord } from './log-record.ts';
import { decodeBeats, decodeVector, encodeBeats, encodeVector } from './offer-bytes.ts';
import { decodeProgress, encodeProgress, type ProgressMessage } from './progress-record.ts';
import { decodeAnswer, encodeAnswer } from './transfer-message.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const incarnation = { counter: 1, nonce: 7 };
const noLife = { counter: 0, nonce: 7 };
const goodEntry: VectorEntry = { region: eu, incarnation, partition: 1023, lsn: 2n ** 64n - 1n };
const goodBeat: CountedBeat = { number: Number.MAX_SAFE_INTEGER, lsn: 1n, end: 2n, atMs: 8.64e15, count: 5 };
const goodVector = [goodEntry, { ...goodEntry, partition: 0 }];

const badVectors: readonly [string, Vector][] = [
  ['a partition that no region has', [{ ...goodEntry, partition: 1024 }]],
  ['a partition beyond 32 bits', [{ ...goodEntry, partition: 2 ** 40 }]],
  ['a life that never was', [{ ...goodEntry, incarnation: noLife }]],
  ['a place named twice', [goodEntry, { ...goodEntry, lsn: 4n }]],
];
const badTimes = [-1, -1e300, 1e300, 8.64e15 + 1, Number.NaN, Infinity];

const progress = (of: Partial<ProgressMessage>): ProgressMessage => ({
  region: eu,
  incarnation,
  publishedAtMs: 1,
  publishedCount: null,
  origins: [],
  barriers: silence,
  ...of,
});
const asked = (vector: Vector) =>
  progress({ barriers: { ask: { number: 1, round: 1, vector }, answers: [] } });
const answered = (position: Vector, askerIncarnation = incarnation) => {
  const answer = { asker: eu, askerIncarnation, number: 1, round: 1, position, isCovered: true };
  return progress({ barriers: { ask: null, answers: [answer] } });
};
const offered = (of: Partial<Offer>): TransferAnswer => {
  return { kind: 'offer', offer: emptyOffer({ region: eu, incarnation }, of) };
};
const changes = (of: Partial<Extract<LogRecord, { kind: 'changes' }>>): LogRecord => {
  const interval = { from: 1n, to: 9n, beats: [], changes: [] };
  return { kind: 'changes', origin: eu, incarnation, partition: 0, ...interval, ...of };
};
const start = (partitionCount: number): LogRecord => {
  return { kind: 'start', origin: eu, incarnation, partition: 0, partitionCount, at: 1n };
};

/** Through the bytes and back. */
const again = {
  vector: (vector: Vector) => decodeVector(encodeVector(vector)),
  beat: (beat: CountedBeat, of = incarnation) =>
    decodeBeats(encodeBeats([{ region: eu, incarnation: of, beat }])),
  record: (record: LogRecord) => decodeLogRecord(encodeLogRecord(record)),
  progress: (message: ProgressMessage) => decodeProgress(encodeProgress(message)),
  answer: (answer: TransferAnswer) => decodeAnswer(encodeAnswer(answer)),
};

const refused = expect.objectContaining({ code: 'malformed-record' });

describe('vectors', () => {
  test.each(badVectors)('with %s are refused wherever they come from', (_, vector) => {
    expect(() => again.vector(vector)).toThrow(refused);
    for (const of of [{ vector }, { ahead: vector }, { horizon: vector }])
      expect(() => again.answer(offered(of))).toThrow(refused);
    expect(() => again.progress(asked(vector))).toThrow(refused);
    expect(() => again.progress(answered(vector))).toThrow(refused);
  });

  it('go to the last partition and the last place', () => {
    expect(again.vector(goodVector)).toEqual(goodVector);
    expect(again.progress(answered(goodVector))).toEqual(answered(goodVector));
  });

  it('are refused with field, limit and value', () => {
    expect(() => again.vector([{ ...goodEntry, partition: 2 ** 40 }])).toThrow(
      'partition is 1099511627776, outside 0 to 1023',
    );
  });
});

describe('beats', () => {
  test.each(badTimes)('made at %d are refused, in a log as in an offer', (atMs) => {
    const beat = { ...goodBeat, atMs };
    expect(() => again.beat(beat)).toThrow(refused);
    expect(() => again.record(changes({ beats: [beat] }))).toThrow(refused);
    expect(() => again.answer(offered({ beats: [{ region: eu, incarnation, beat }] }))).toThrow(refused);
  });

  test.each([0, 0.25, 8.64e15])('made at %d are taken, and can be told on as an echo', (atMs) => {
    const [taken] = again.beat({ ...goodBeat, atMs });
    const { number, atMs: toldMs } = taken?.beat ?? expect.fail('a beat is there');
    const echo = { number, atMs: toldMs, receivedAtMs: 1 };
    const told = { origin: eu, incarnation, settled: null, settledBeat: null, echo };
    expect(again.progress(progress({ origins: [told] })).origins).toEqual([told]);
  });
});

test('no life has the counter 0', () => {
  expect(() => again.beat(goodBeat, noLife)).toThrow(refused);
  expect(() => again.record(changes({ incarnation: noLife }))).toThrow(refused);
  expect(() => again.answer(offered({ incarnation: noLife }))).toThrow(refused);
  expect(() => again.progress(answered([], noLife))).toThrow(refused);
  expect(() => decodeClaim(encodeClaim({ region: eu, incarnation: noLife }))).toThrow(refused);
});

test('log records are of a partition that can be, and begin lives with as many', () => {
  expect(again.record(changes({ partition: 1023 }))).toMatchObject({ partition: 1023 });
  expect(() => again.record(changes({ partition: 1024 }))).toThrow(refused);
  expect(again.record(start(1024))).toMatchObject({ partitionCount: 1024 });
  expect(() => again.record(start(1025))).toThrow(refused);
});

test('counts of a range can be added up in a column', () => {
  const ranges = (records: number): TransferAnswer => ({
    kind: 'ranges',
    ranges: [{ until: { collection: 'c', key: 'k' }, digest: new Uint8Array(16), records }],
  });
  expect(again.answer(ranges(2 ** 31 - 1))).toEqual(ranges(2 ** 31 - 1));
  expect(() => again.answer(ranges(2 ** 31))).toThrow(refused);
});

test('why a donor refuses can be stored', () => {
  const refusal = (detail: string): TransferAnswer => ({ kind: 'refused', refusal: 'busy', detail });
  expect(again.answer(refusal('full'))).toEqual(refusal('full'));
  expect(() => again.answer(refusal('full\0'))).toThrow(refused);
});
