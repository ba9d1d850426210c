import { expect, test } from 'vitest';
import type { FeedBatch, FeedSubscription } from '../ports/change-feed.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { LogOpener, LogPlace, LogSealer, RefusedRecord } from '../ports/log-seal.ts';
import type { OwnLogSource } from '../ports/own-log.ts';
import { isRefused } from './log-opening.ts';
import { encodeLogRecord } from './log-record.ts';
import { OpenedFeed, OpenedOwnLog, SealedControlLog } from './opened-logs.ts';
import { SealedSink } from './sealed-sink.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');

/** Says in clear text what was sealed where. */
const inWords = ({ region, topic, partition }: LogPlace): string => `${region} ${topic} ${partition}: `;
const sealer: LogSealer = {
  seal: (topic, records) =>
    records.map(({ partition, bytes }) => {
      const seal = inWords({ region: eu, topic, partition });
      return { partition, bytes: Buffer.concat([Buffer.from(seal), bytes]) };
    }),
};
const opener: LogOpener = {
  open: (place, bytes) => {
    const seal = inWords(place);
    const text = Buffer.from(bytes).toString();
    if (!text.startsWith(seal)) return { kind: 'refused', fault: 'bad-signature' };
    return { kind: 'genuine', body: Buffer.from(text.slice(seal.length)) };
  },
  prepare: async () => undefined,
  bodyOf: (bytes) => Buffer.from(Buffer.from(bytes).toString().split(': ')[1] ?? '', 'latin1'),
};

function own() {
  const refused: RefusedRecord[] = [];
  return {
    region: eu,
    sealer,
    opener,
    refused,
    onRefused: (record: RefusedRecord) => void refused.push(record),
  };
}

function subscription(batches: readonly FeedBatch[]): FeedSubscription {
  const left = [...batches];
  return {
    next: async () => left.shift() ?? null,
    rewind: async (partition) => BigInt(partition),
    connected: true,
    close: async () => undefined,
  };
}

const bytesOf = (text: string): Uint8Array => Buffer.from(text);
const texts = (batch: FeedBatch | null) => batch?.records.map(({ bytes }) => Buffer.from(bytes).toString());

test('changes and progress are read as what is sealed for their region, topic and partition', async () => {
  const seals = own();
  const records = ['eu changes 2: a', 'eu changes 3: b', 'us changes 2: c', 'eu progress 2: d'].map(
    (text, at) => ({ offset: BigInt(at), bytes: bytesOf(text) }),
  );
  const feed = new OpenedFeed(
    {
      subscribe: () => subscription([{ partition: 2, records }]),
      subscribeProgress: () => subscription([{ partition: 2, records }]),
    },
    seals,
  );
  const changes = feed.subscribe(eu, [0n]);
  const batch = await changes.next();
  expect(texts(batch)).toEqual(['a', '', '', '']);
  expect(batch?.records.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n]);
  expect(batch?.records.map(isRefused)).toEqual([false, true, true, true]);
  expect(await changes.next()).toBeNull();
  expect(await changes.rewind(5)).toBe(5n);
  expect(seals.refused).toMatchObject([
    { region: eu, topic: 'changes', partition: 2, offset: 1n, fault: 'bad-signature' },
    { offset: 2n },
    { offset: 3n },
  ]);
  expect(texts(await feed.subscribeProgress(eu).next())).toEqual(['', '', '', 'd']);
  expect(texts(await feed.subscribe(us, [0n]).next())).toEqual(['', '', 'c', '']);
});

test('nothing under a true seal is refused as malformed, and told of like all that is refused', async () => {
  const seals = own();
  const records = [{ offset: 7n, bytes: bytesOf('eu changes 2: ') }];
  const batches = [{ partition: 2, records }];
  const feed = new OpenedFeed(
    { subscribe: () => subscription(batches), subscribeProgress: () => subscription([]) },
    seals,
  );
  expect(texts(await feed.subscribe(eu, [0n]).next())).toEqual(['']);
  expect(seals.refused).toMatchObject([{ region: eu, offset: 7n, fault: 'malformed' }]);
});

test('what is being opened while its partition is rewound is not handed out, and comes again', async () => {
  const records = Array.from({ length: 8 }, (_, at) => ({
    offset: BigInt(at),
    bytes: bytesOf(`eu changes 2: ${at}`),
  }));
  const other = [{ offset: 0n, bytes: bytesOf('eu changes 3: other') }];
  let prepared: () => void = () => undefined;
  const opening = new Promise<void>((resolve) => {
    prepared = resolve;
  });
  const seals = { ...own(), opener: { ...opener, prepare: () => opening } };
  const batches = [
    { partition: 2, records },
    { partition: 3, records: other },
    { partition: 2, records: records.slice(0, 1) },
  ];
  const feed = new OpenedFeed(
    { subscribe: () => subscription(batches), subscribeProgress: () => subscription([]) },
    seals,
  );
  const changes = feed.subscribe(eu, [0n]);
  const next = changes.next();
  await changes.rewind(2);
  prepared();
  expect(texts(await next)).toEqual(['other']);
  expect(texts(await changes.next())).toEqual(['0']);
});

test('what a reader has passed is neither opened nor handed out, and everything else is', async () => {
  const seals = own();
  const recordTo = (to: bigint) =>
    encodeLogRecord({
      kind: 'changes',
      origin: eu,
      incarnation: { counter: 1, nonce: 2 },
      partition: 0,
      from: to - 1n,
      to,
      beats: [],
      changes: [],
    });
  const sealed = (to: bigint, seal = 'eu changes 0: ') => ({
    offset: to,
    bytes: bytesOf(seal + recordTo(to).toString('latin1')),
  });
  const batches = [[1n, 2n], [2n], [2n, 3n]].map((ends) => ({
    partition: 0,
    records: ends.map((to) => sealed(to, to === 1n ? 'forged: ' : undefined)),
  }));
  const subscribe = () => subscription(batches);
  const feed = new OpenedFeed({ subscribe, subscribeProgress: subscribe }, seals);
  const passing = feed.subscribe(
    eu,
    [0n],
    () =>
      ({ to }) =>
        to <= 2n,
  );
  expect((await passing.next())?.records.map(({ offset }) => offset)).toEqual([3n]);
  expect(await passing.next()).toBeNull();
  expect(seals.refused).toEqual([]);
  const live = feed.subscribe(eu, [0n], () => null);
  expect((await live.next())?.records.map(({ offset }) => offset)).toEqual([1n, 2n]);
  expect(seals.refused).toHaveLength(1);
});

test('the own log is opened however it is read, and what was forged after it hides no progress', async () => {
  const seals = own();
  const asked: string[] = [];
  const source: OwnLogSource = {
    spans: async () => [{ first: 1n, end: 2n }],
    subscribe: () =>
      subscription([{ partition: 1, records: [{ offset: 0n, bytes: bytesOf('eu changes 1: a') }] }]),
    tail: () =>
      subscription([{ partition: 0, records: [{ offset: 0n, bytes: bytesOf('eu changes 1: a') }] }]),
    claims: () =>
      subscription([{ partition: 0, records: [{ offset: 0n, bytes: bytesOf('eu control 0: c') }] }]),
    newestProgress: async (counts) =>
      ['forged', 'eu progress 0: told', 'eu progress 0: older'].map(bytesOf).find((bytes) => {
        asked.push(Buffer.from(bytes).toString());
        return counts(bytes);
      }) ?? null,
  };
  const log = new OpenedOwnLog(source, seals);
  expect(await log.spans(1, null)).toEqual([{ first: 1n, end: 2n }]);
  expect(texts(await log.subscribe([0n]).next())).toEqual(['a']);
  expect(texts(await log.tail(1).next())).toEqual(['']);
  expect(texts(await log.claims().next())).toEqual(['c']);
  expect(Buffer.from((await log.newestProgress()) ?? []).toString()).toBe('told');
  expect(asked).toEqual(['forged', 'eu progress 0: told']);
  const empty = new OpenedOwnLog({ ...source, newestProgress: async () => null }, seals);
  expect(await empty.newestProgress()).toBeNull();
});

test('claims are sealed as they are made, and no other is read', async () => {
  const seals = own();
  const held: Uint8Array[] = [bytesOf('claimed'), bytesOf('us control 0: claimed')];
  const control = new SealedControlLog(
    {
      append: async (bytes) => void held.push(bytes),
      read: async () => held,
      close: async () => undefined,
    },
    seals,
  );
  await control.append(bytesOf('ours'));
  expect((await control.read()).map((bytes) => Buffer.from(bytes).toString())).toEqual(['ours']);
  expect(seals.refused).toHaveLength(2);
});

test('what is published is sealed together, and progress as such', async () => {
  const published: string[] = [];
  const note = (bytes: Uint8Array) => void published.push(Buffer.from(bytes).toString());
  const sink = new SealedSink(
    {
      prepare: async () => undefined,
      publish: async (records) => records.forEach(({ bytes }) => note(bytes)),
      publishProgress: async (bytes) => note(bytes),
      close: async () => undefined,
    },
    sealer,
  );
  await sink.publish([
    { partition: 0, bytes: bytesOf('a') },
    { partition: 1, bytes: bytesOf('b') },
  ]);
  await sink.publishProgress(bytesOf('p'));
  expect(published).toEqual(['eu changes 0: a', 'eu changes 1: b', 'eu progress 0: p']);
});
