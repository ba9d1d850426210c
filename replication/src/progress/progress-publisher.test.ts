import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import { decodeProgress, type ProgressMessage } from '../log/progress-record.ts';
import type { HeardBeat, Overview } from '../ports/beat-store.ts';
import type { CountedBeat } from '../ports/change.ts';
import { type Incarnation, parseRegionId, type RegionId } from '../ports/identity.ts';
import type { PositionRow } from '../ports/record-store.ts';
import { HeardBeats } from './heard-beats.ts';
import { ProgressPublisher } from './progress-publisher.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const ap = parseRegionId('ap') ?? expect.fail('ap is a region');
const first: Incarnation = { counter: 1, nonce: 5 };
const second: Incarnation = { counter: 2, nonce: 6 };

function beat(number: number): CountedBeat {
  return { number, count: number, atMs: number * 250, lsn: 1n, end: 1n };
}

function heard(origin: RegionId, number: number, incarnation = first): HeardBeat {
  return { origin, incarnation, beat: beat(number), receivedAtMs: number * 250 + 30 };
}

function row(origin: RegionId, partition: number, number: number): PositionRow {
  const settled = BigInt(number);
  return {
    origin,
    incarnation: first,
    partition,
    applied: settled + 5n,
    settled,
    beat: beat(number),
    nextOffset: 0n,
  };
}

/** A region's stores and log, recording the order in which they are used. */
const nothingStored: Overview = {
  rpo: [],
  own: { newest: null, newestCounted: null, logCoveredAtMs: null, logCount: null },
  heard: [],
  progress: [],
  positions: [],
};

class Region {
  readonly timer = new ManualTimer();
  readonly calls: string[] = [];
  readonly published: ProgressMessage[] = [];
  positionRows: PositionRow[] = [];
  aheadMs = 1e6;
  readonly clock = { nowMs: () => this.aheadMs + this.timer.monotonicMs() };
  readonly heardBeats = new HeardBeats({ clock: this.clock, timer: this.timer });
  table: readonly HeardBeat[] = [];
  /** What happens while the database makes it durable. */
  meanwhile = (): void => undefined;
  failing: string | null = null;
  readonly lines: string[] = [];
  readonly log = {
    debug: () => {},
    info: (_: object, line: string) => this.lines.push(line),
    warn: (_: object, line: string) => this.lines.push(line),
    error: () => {},
  };

  readonly publisher = new ProgressPublisher({
    region: us,
    incarnation: second,
    origins: [eu, ap],
    partitionCount: 2,
    timer: this.timer,
    logger: this.log,
    clock: this.clock,
    heardBeats: this.heardBeats,
    relay: { published: { count: 12, atMs: 1e6 } },
    barriers: { word: () => this.#call('barriers', () => ({ ask: null, answers: [] })) },
    beats: {
      overview: () => this.#call('overview', () => ({ ...nothingStored, heard: this.table })),
      storeHeard: (beats) =>
        this.#call('storeHeard', () => {
          this.table = beats;
          this.meanwhile();
          return this.positionRows;
        }),
    },
    sink: {
      prepare: () => this.#call('prepare', () => undefined),
      publishProgress: (bytes) =>
        this.#call('publish', () => void this.published.push(decodeProgress(bytes))),
    },
  });

  get newest(): ProgressMessage {
    const message = this.published.at(-1);
    if (message === undefined) throw new TypeError('nothing was published');
    return message;
  }

  async #call<T>(name: string, answer: () => T): Promise<T> {
    await Promise.resolve();
    this.calls.push(name);
    if (this.failing === name) throw new ReplicationError('log-unavailable', name, { retriable: true });
    return answer();
  }
}

function started(): Region {
  const region = new Region();
  region.publisher.start();
  return region;
}

test('takes what is settled from the commit that makes it durable, then publishes it (P4), once per beat interval', async () => {
  const region = started();
  await region.timer.advance(500);
  const turn = ['barriers', 'storeHeard', 'publish'];
  expect(region.calls).toEqual(['overview', ...turn, ...turn, ...turn]);
  expect(region.publisher.failure).toBeNull();
});

test('tells how many changes the own log holds while its newest beat there is young', async () => {
  const region = started();
  await region.timer.advance(500);
  expect(region.newest).toMatchObject({ publishedAtMs: 1e6 + 500, publishedCount: 12 });
  await region.timer.advance(250);
  expect(region.newest).toMatchObject({ publishedAtMs: 1e6 + 750, publishedCount: null });
});

test('tells settled and not applied, the least beat, and the newest beat heard', async () => {
  const region = started();
  region.positionRows = [row(eu, 1, 7), row(eu, 0, 9)];
  region.heardBeats.note(heard(eu, 11));
  await region.timer.advance(0);
  expect(region.newest).toEqual({
    region: us,
    incarnation: second,
    barriers: { ask: null, answers: [] },
    publishedAtMs: 1e6,
    publishedCount: 12,
    origins: [
      {
        origin: eu,
        incarnation: first,
        settled: [9n, 7n],
        settledBeat: 7,
        echo: { number: 11, atMs: 2750, receivedAtMs: 2780 },
      },
    ],
  });
});

test('claims nothing settled while a partition has no position, but echoes', async () => {
  const region = started();
  region.positionRows = [row(eu, 0, 9)];
  region.heardBeats.note(heard(eu, 11));
  await region.timer.advance(0);
  expect(region.newest.origins).toMatchObject([
    { origin: eu, settled: null, settledBeat: null, echo: { number: 11 } },
  ]);
});

test('of a newer incarnation heard it claims nothing settled from the older one', async () => {
  const region = started();
  region.positionRows = [row(eu, 0, 9), row(eu, 1, 9)];
  region.heardBeats.note(heard(eu, 2, second));
  await region.timer.advance(0);
  expect(region.newest.origins).toMatchObject([
    { incarnation: second, settled: null, settledBeat: null, echo: { number: 2 } },
  ]);
});

test('publishes nothing where the commit failed', async () => {
  const region = started();
  region.failing = 'storeHeard';
  await region.timer.advance(1000);
  expect(region.calls).not.toContain('publish');
  expect(region.publisher.failure).toMatchObject({ retriable: true });
});

test('goes on after the log was unavailable, with what holds then', async () => {
  const region = started();
  region.positionRows = [row(eu, 0, 1), row(eu, 1, 1)];
  await region.timer.advance(0);
  region.failing = 'publish';
  await region.timer.advance(2000);
  expect(region.publisher.failure).toMatchObject({ retriable: true });
  region.failing = null;
  region.positionRows = [row(eu, 0, 8), row(eu, 1, 8)];
  await region.timer.advance(250);
  expect(region.published).toHaveLength(2);
  expect(region.newest.origins).toMatchObject([{ settledBeat: 8 }]);
});

test('makes topics that are gone anew, not at each failure and not where the log is well', async () => {
  const region = started();
  await region.timer.advance(10_000);
  expect(region.calls).not.toContain('prepare');
  region.failing = 'publish';
  await region.timer.advance(4_000);
  const sent = region.calls.filter((call) => call === 'prepare' || call === 'publish').slice(-9);
  expect(sent.filter((call) => call === 'prepare')).toEqual(['prepare']);
  region.failing = 'prepare';
  await region.timer.advance(4_000);
  region.failing = null;
  await region.timer.advance(250);
  expect(region.publisher.failure).toBeNull();
  expect(region.lines).toEqual([
    'peers do not hear of the progress of this region; tried again',
    'the progress of this region is published again',
  ]);
});

test('a restart does not take an echo back, nor does reading old beats again', async () => {
  const region = started();
  region.table = [heard(eu, 40)];
  await region.timer.advance(0);
  region.heardBeats.note(heard(eu, 12));
  await region.timer.advance(250);
  expect(region.published.map(({ origins }) => origins[0]?.echo?.number)).toEqual([40, 40]);
  region.heardBeats.note(heard(eu, 41));
  await region.timer.advance(250);
  expect(region.newest.origins[0]?.echo?.number).toBe(41);
});

test.each([4000, -4000])(
  'the two times of an echo are of one clock where that was set by %d ms',
  async (byMs) => {
    const region = started();
    region.heardBeats.note({ ...heard(eu, 11), receivedAtMs: region.clock.nowMs() });
    await region.timer.advance(0);
    region.aheadMs += byMs;
    await region.timer.advance(250);
    const heldMs = region.published.map(
      ({ publishedAtMs, origins }) => publishedAtMs - (origins[0]?.echo?.receivedAtMs ?? 0),
    );
    expect(heldMs).toEqual([0, 250]);
  },
);

test('where the clock is set while what is told is made durable, the next turn tells it', async () => {
  const region = started();
  region.heardBeats.note({ ...heard(eu, 11), receivedAtMs: region.clock.nowMs() });
  region.meanwhile = () => {
    region.meanwhile = () => undefined;
    region.aheadMs += 4000;
  };
  await region.timer.advance(0);
  expect(region.published).toEqual([]);
  await region.timer.advance(250);
  expect(region.newest.origins[0]?.echo).toMatchObject({ receivedAtMs: region.newest.publishedAtMs - 250 });
});

test('an echo of before a restart is told as received now: the clock may have been set since', async () => {
  const region = started();
  region.table = [heard(eu, 40)];
  await region.timer.advance(0);
  const { publishedAtMs, origins } = region.newest;
  expect(origins[0]?.echo).toEqual({ number: 40, atMs: 10_000, receivedAtMs: publishedAtMs });
});
