import { expect, test } from 'vitest';
import { ReplicationError } from '../errors.ts';
import { encodeProgress, type ProgressMessage } from '../log/progress-record.ts';
import type { PeerProgress } from '../ports/beat-store.ts';
import type { Beat } from '../ports/change.ts';
import type { FeedBatch, FeedSubscription } from '../ports/change-feed.ts';
import { type Incarnation, parseRegionId, type RegionId } from '../ports/identity.ts';
import { beatIntervalMs } from './beat-interval.ts';
import { HeardBeats } from './heard-beats.ts';
import { OwnStores } from './own-stores.ts';
import { ProgressReader } from './progress-reader.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const first: Incarnation = { counter: 1, nonce: 5 };
const second: Incarnation = { counter: 2, nonce: 6 };

interface Told {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly ours: Incarnation;
  readonly settledBeat: number;
  readonly echo: number;
  readonly publishedAtMs: number;
  /** By which its clock was set ahead. */
  readonly aheadMs: number;
  /** By which all of it happened later. */
  readonly laterMs: number;
}

/** What `us` tells; its clock is 60 s behind ours and each way takes 40 ms. */
function message(told: Partial<Told> = {}): ProgressMessage {
  const { settledBeat = 3, echo = 8, region = us, aheadMs = 0, laterMs = 0 } = told;
  return {
    region,
    incarnation: told.incarnation ?? first,
    publishedCount: 700,
    publishedAtMs: (told.publishedAtMs ?? 940_100) + aheadMs + laterMs,
    barriers: { ask: null, answers: [] },
    origins: [
      {
        origin: eu,
        incarnation: told.ours ?? first,
        settled: [BigInt(settledBeat)],
        settledBeat,
        echo: { number: echo, atMs: 1_000_000 + laterMs, receivedAtMs: 940_040 + aheadMs + laterMs },
      },
    ],
  };
}

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** Reads the given batches of one reader to the end; the own clock stands at 1,000,140. */
class Link {
  stored: PeerProgress[] = [];
  refuses = false;
  nowMs = 1_000_140;
  monotonicMs = 5000;
  newestBeat: Beat | null = null;
  readonly heardBeats = new HeardBeats({
    clock: { nowMs: () => this.nowMs },
    timer: { monotonicMs: () => this.monotonicMs },
  });
  readonly #batches: FeedBatch[] = [];
  readonly reader: ProgressReader;

  constructor(before: readonly PeerProgress[] = [], ours = new OwnStores()) {
    const subscription: FeedSubscription = {
      connected: true,
      next: () => Promise.resolve(this.#batches.shift() ?? null),
      rewind: () => Promise.resolve(0n),
      close: () => Promise.resolve(),
    };
    this.reader = new ProgressReader({
      self: { region: eu, incarnation: first, peer: us },
      subscription,
      heardBeats: this.heardBeats,
      clock: { nowMs: () => this.nowMs },
      timer: { monotonicMs: () => this.monotonicMs },
      ours,
      logger: quiet,
      onTold: () => undefined,
      beats: {
        overview: () =>
          Promise.resolve({
            rpo: [],
            own: { newest: this.newestBeat, newestCounted: null, logCoveredAtMs: null, logCount: null },
            heard: [],
            progress: before,
            positions: [],
          }),
        storePeerProgress: (progress) => {
          if (this.refuses)
            return Promise.reject(new ReplicationError('database-unavailable', 'down', { retriable: true }));
          this.stored.push(progress);
          return Promise.resolve();
        },
      },
    });
  }

  /** A beat of the peer that was made at 939 s and so many intervals by its clock, and after so long a silence. */
  hear(number: number, silentMs = 0): void {
    const atMs = 939_000 + number * beatIntervalMs + silentMs;
    const beat = { number, count: 0, atMs, lsn: 1n, end: 1n };
    this.heardBeats.note({ origin: us, incarnation: first, beat, receivedAtMs: this.nowMs });
  }

  /** One batch for each list of messages. */
  async read(...batches: (readonly (ProgressMessage | Uint8Array)[])[]): Promise<PeerProgress | null> {
    for (const messages of batches)
      this.#batches.push({
        partition: 0,
        records: messages.map((told, index) => ({
          offset: BigInt(index),
          bytes: told instanceof Uint8Array ? told : encodeProgress(told),
        })),
      });
    await this.reader.run();
    return this.stored.at(-1) ?? null;
  }
}

const known: PeerProgress = {
  peer: us,
  peerIncarnation: first,
  settled: [3n],
  settledBeat: 3,
  echoedBeat: 8,
  heardAtMs: 1_000_140,
  publishedCount: 700,
  clockOffset: { offsetMs: 60_000, errorMs: 40, measuredAtMs: 1_000_140 },
  earlierOffsets: [],
};

test('keeps what a peer told about us, with the offset measured by its echo', async () => {
  expect(await new Link().read([message()])).toEqual(known);
});

test('what a log held when its message was sent is not told once that was long on its way', async () => {
  const count = async (transitMs: number): Promise<number | null | undefined> => {
    const link = new Link();
    await link.read([message()]);
    for (const clock of ['nowMs', 'monotonicMs'] as const) link[clock] += transitMs - 40;
    return (await link.read([message({ settledBeat: 4 })]))?.publishedCount;
  };
  expect(await count(500)).toBe(700);
  expect(await count(501)).toBeNull();
});

test('stores the last of a batch only, also where it claims less than the one before', async () => {
  const link = new Link();
  await link.read([message({ settledBeat: 5 }), message({ settledBeat: 4 })], [message({ settledBeat: 2 })]);
  expect(link.stored.map(({ settledBeat }) => settledBeat)).toEqual([4, 2]);
});

test('a new incarnation replaces progress and offset, an older one is dropped', async () => {
  const link = new Link();
  const reborn = message({ incarnation: second, settledBeat: 1, publishedAtMs: 940_060 });
  const progress = await link.read([message()], [reborn], [message({ settledBeat: 9 })]);
  expect(progress).toMatchObject({ peerIncarnation: second, settledBeat: 1, clockOffset: { errorMs: 60 } });
  expect(link.reader.state.dropped).toEqual({ malformed: 0, foreign: 0, stale: 1 });
});

test('what is told about another life of ours, or not at all, claims nothing', async () => {
  const nothing = { settled: null, settledBeat: null, echoedBeat: null, clockOffset: null };
  expect(await new Link().read([message({ ours: second })])).toMatchObject(nothing);
  expect(await new Link().read([{ ...message(), origins: [] }])).toMatchObject(nothing);
});

test('a message of another region on the topic of the peer is dropped, and bytes that are none', async () => {
  const link = new Link();
  expect(await link.read([message({ region: eu }), Buffer.from('noise')])).toBeNull();
  expect(link.reader.state.dropped).toEqual({ malformed: 1, foreign: 1, stale: 0 });
  expect(link.reader.state.refusal).toMatchObject({ code: 'newer-format' });
  await link.read([message()]);
  expect(link.reader.state.refusal).toBeNull();
});

test('an echo told again is no new sample', async () => {
  const link = new Link();
  await link.read([message()], [message({ publishedAtMs: 940_140 })], [message({ echo: 9 })]);
  expect(link.reader.state.heard?.samples).toHaveLength(2);
});

test('an echo of a beat from before the own clock was set is no sample, however late it comes', async () => {
  const link = new Link();
  expect(await link.read([message()])).toMatchObject({ clockOffset: { offsetMs: 60_000 } });
  [link.nowMs, link.monotonicMs] = [link.nowMs + 6000, link.monotonicMs + 20_000];
  link.newestBeat = { number: 40, lsn: 1n, atMs: link.nowMs };
  const moved = { clockOffset: { offsetMs: 46_000 } };
  expect(await link.read([message({ echo: 9 })], [message({ echo: 40 })])).toMatchObject(moved);
  expect(link.reader.state.heard?.samples).toHaveLength(1);
  expect(await link.read([message({ echo: 41 })])).toMatchObject({ clockOffset: { offsetMs: 63_000 } });
});

test('an echo of a beat from before the start is no sample: the own clock may have been set since', async () => {
  const link = new Link();
  link.newestBeat = { number: 8, lsn: 1n, atMs: 1_000_000 };
  expect(await link.read([message()])).toMatchObject({ settledBeat: 3, clockOffset: null });
  expect(await link.read([message({ echo: 9 })])).toMatchObject({ clockOffset: { offsetMs: 60_000 } });
});

test('a restart keeps the measured offset and the known incarnation', async () => {
  const link = new Link([{ ...known, peerIncarnation: second }]);
  expect(await link.read([message()])).toBeNull();
  expect(link.reader.state.dropped.stale).toBe(1);
  const silent = { ...message({ incarnation: second }), origins: [] };
  expect(await link.read([silent])).toMatchObject({ settledBeat: null, clockOffset: { offsetMs: 60_000 } });
});

test('a database that refuses is shown and does not end the reading', async () => {
  const link = new Link();
  link.refuses = true;
  expect(await link.read([message()])).toBeNull();
  expect(link.reader.state.failure).toMatchObject({ code: 'database-unavailable' });
  link.refuses = false;
  expect(await link.read([message({ settledBeat: 4 })])).toMatchObject({ settledBeat: 4 });
  expect(link.reader.state.failure).toBeNull();
});

test('a jump of the own clock moves the offsets while nothing comes from the peer, also after a restart', async () => {
  const earlierOffsets = [{ offsetMs: 50_000, untilBeat: 2 }];
  const link = new Link([{ ...known, earlierOffsets }]);
  await link.reader.noticeClocks();
  expect(link.stored).toEqual([]);
  link.nowMs -= 14_000;
  link.refuses = true;
  await link.reader.noticeClocks();
  expect(link.reader.state.failure).toMatchObject({ code: 'database-unavailable' });
  link.refuses = false;
  await link.reader.noticeClocks();
  await link.reader.noticeClocks();
  const clockOffset = { offsetMs: 46_000, errorMs: 40, measuredAtMs: 986_140 };
  expect(link.stored).toEqual([
    {
      ...known,
      heardAtMs: known.heardAtMs - 14_000,
      clockOffset,
      earlierOffsets: [{ offsetMs: 36_000, untilBeat: 2 }],
    },
  ]);
});

test('what was heard before the own clock was set ahead is not younger for that', async () => {
  const link = new Link([known]);
  await link.reader.noticeClocks();
  link.nowMs += 14_000;
  await link.reader.noticeClocks();
  expect(link.stored).toMatchObject([{ heardAtMs: known.heardAtMs }]);
});

test('beats that come where progress does not are still told by the offset from before a jump (0050)', async () => {
  const link = new Link();
  link.hear(0);
  await link.read([message()], [message({ echo: 9, aheadMs: 10_000 })]);
  const before = link.stored.at(-1);
  expect(before?.earlierOffsets).toEqual([{ offsetMs: 60_000, untilBeat: 0 }]);
  link.hear(1);
  await link.reader.noticeClocks();
  await link.reader.noticeClocks();
  expect(link.stored.slice(2)).toEqual([{ ...before, earlierOffsets: [{ offsetMs: 60_000, untilBeat: 1 }] }]);
});

test('where beats end the search for two jumps, what held before the first is stored too without a message', async () => {
  const link = new Link();
  const pass = (ms: number): void => {
    [link.nowMs, link.monotonicMs] = [link.nowMs + ms, link.monotonicMs + ms];
  };
  link.hear(4);
  await link.read([message()]);
  pass(8000);
  await link.read([message({ echo: 9, laterMs: 8000, aheadMs: -4000 })]);
  pass(1000);
  await link.read([message({ echo: 10, laterMs: 9000, aheadMs: -7000 })]);
  pass(1000);
  for (const number of [5, 6]) {
    link.hear(number, 2850);
    await link.reader.noticeClocks();
    pass(beatIntervalMs);
  }
  expect(link.stored.at(-1)?.earlierOffsets).toEqual([
    { offsetMs: 60_000, untilBeat: 4 },
    { offsetMs: 64_000, untilBeat: 4 },
  ]);
});

test('a silence of the peer before an echo that showed no jump is not taken for the jump that follows', async () => {
  const link = new Link();
  const pass = (ms: number): void => {
    [link.nowMs, link.monotonicMs] = [link.nowMs + ms, link.monotonicMs + ms];
  };
  link.hear(1);
  await link.read([message()]);
  pass(7000);
  link.hear(2, 7000);
  await link.read([message({ echo: 9, laterMs: 7000 })]);
  pass(2000);
  const told = { clockOffset: { offsetMs: 53_000 }, earlierOffsets: [{ offsetMs: 60_000, untilBeat: 2 }] };
  expect(await link.read([message({ echo: 10, laterMs: 9000, aheadMs: 7000 })])).toMatchObject(told);
});

test('a jump that the first echo after a start shows makes no beat younger, whichever clock was set (0069)', async () => {
  const earlier = { offsetMs: 50_000, untilBeat: 2 };
  const link = new Link([{ ...known, earlierOffsets: [earlier] }]);
  link.hear(4);
  const setBack = { clockOffset: { offsetMs: 53_000 }, earlierOffsets: [{ offsetMs: 43_000, untilBeat: 2 }] };
  expect(await link.read([message({ echo: 9, aheadMs: 7000 })])).toMatchObject(setBack);
  const next = [...setBack.earlierOffsets, { offsetMs: 53_000, untilBeat: 4 }];
  const peers = { clockOffset: { offsetMs: 46_000 }, earlierOffsets: next };
  expect(await link.read([message({ echo: 10, aheadMs: 14_000 })])).toMatchObject(peers);
});

test('a jump the other way that the first echo after a start shows is one of the peer, by which beats are older', async () => {
  const link = new Link([known]);
  link.hear(4);
  const earlierOffsets = [{ offsetMs: 60_000, untilBeat: 5 }];
  const told = { clockOffset: { offsetMs: 67_000 }, earlierOffsets };
  expect(await link.read([message({ echo: 9, aheadMs: -7000 })])).toMatchObject(told);
});

test('an echo that took so long that a jump hides in its error does not end the doubt about the start', async () => {
  const link = new Link([known]);
  link.hear(4);
  [link.nowMs, link.monotonicMs] = [link.nowMs + 16_000, link.monotonicMs + 16_000];
  expect(await link.read([message({ echo: 9, aheadMs: 7000 })])).toMatchObject({
    clockOffset: { offsetMs: 60_000 },
  });
  const told = { clockOffset: { offsetMs: 53_000 }, earlierOffsets: [] };
  expect(await link.read([message({ echo: 10, aheadMs: 7000, laterMs: 16_000 })])).toMatchObject(told);
});

/** What is stored by the next reader of the same process, when the own clock was set ahead by so much in between. */
async function storedNext(
  byMs: number,
  { stored = known, told = [] }: { readonly stored?: PeerProgress; readonly told?: ProgressMessage[] } = {},
): Promise<PeerProgress | undefined> {
  const ours = new OwnStores();
  await new Link([], ours).read([message()]);
  const next = new Link([stored], ours);
  next.hear(4);
  next.nowMs += byMs;
  await next.reader.noticeClocks();
  await next.read(told);
  return next.stored.at(-1);
}

test('a process that loses the lock and gets it again knows what was done to its clock in between', async () => {
  expect(await storedNext(0)).toBeUndefined();
  for (const byMs of [-14_000, 9000])
    expect(await storedNext(byMs)).toMatchObject({ clockOffset: { offsetMs: 60_000 + byMs } });
  const told = [message({ echo: 9, aheadMs: 7000 })];
  const earlierOffsets = [{ offsetMs: 60_000, untilBeat: 4 }];
  expect(await storedNext(0, { told })).toMatchObject({ clockOffset: { offsetMs: 53_000 }, earlierOffsets });
});

test('what another process has stored meanwhile may be by another clock', async () => {
  const others: PeerProgress[] = [
    { ...known, heardAtMs: known.heardAtMs + 0.25 },
    { ...known, clockOffset: { offsetMs: 60_000, errorMs: 40, measuredAtMs: 1_000_139 } },
    { ...known, peerIncarnation: second },
  ];
  for (const stored of others) expect(await storedNext(-14_000, { stored })).toBeUndefined();
});
