/**
 * What every `OwnLogSource` must do (P1): whoever compares a database with what was published in its name must not be told
 * that the log ends earlier, begins later or said less than it does. Its claims are heard in `control-log.contract.ts`.
 */
import type { FeedSubscription } from '@isthmus/replication/ports/change-feed';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { LogSpan, OwnLogSource } from '@isthmus/replication/ports/own-log';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { until } from '../until.ts';
import {
  fromBeginning,
  type LogBench,
  numberOf,
  partitionCount,
  readRecords,
  recordOf,
} from './change-sink-feed.contract.ts';

export interface OwnLogBench {
  readonly bench: LogBench;
  readonly ownLogOf: (region: RegionId) => OwnLogSource;
}

const recovery = { timeout: 40_000, interval: 50 };
const unavailable = { code: 'log-unavailable', retriable: true };
const hourMs = 3_600_000;
const countsAlways = (): boolean => true;

export function ownLogContract(name: string, openBench: () => Promise<OwnLogBench>): void {
  describe(`own log contract: ${name}`, () => {
    let { bench, ownLogOf }: Partial<OwnLogBench> = {};
    let region: RegionId;
    let sink: ChangeSink;
    let log: OwnLogSource;
    const open: FeedSubscription[] = [];
    const opened = (subscription: FeedSubscription): FeedSubscription => {
      open.push(subscription);
      return subscription;
    };
    const newLog = async () => {
      const of = (await bench?.newRegion()) ?? expect.fail('a bench');
      return { of, log: ownLogOf?.(of) ?? expect.fail('a log') };
    };
    beforeAll(async () => {
      ({ bench, ownLogOf } = await openBench());
    }, 120_000);
    beforeEach(async () => {
      ({ of: region, log } = await newLog());
      sink = bench?.sinkOf(region) ?? expect.fail('a bench');
      await vi.waitFor(() => sink.prepare(partitionCount), recovery);
    }, 60_000);
    afterEach(async () => {
      await Promise.all(open.splice(0).map((subscription) => subscription.close()));
      await sink.close();
    });
    afterAll(() => bench?.close());

    const publish = (from: number, to: number): Promise<void> =>
      sink.publish(Array.from({ length: to - from }, (_, index) => recordOf(from + index)));
    const spans = (sinceMs: number | null = null): Promise<readonly LogSpan[]> =>
      log.spans(partitionCount, sinceMs);

    /** Numbers of the records between these places, all in order. */
    async function within(found: readonly LogSpan[]): Promise<readonly number[]> {
      const count = found.reduce((sum, { first, end }) => sum + Number(end - first), 0);
      const read = await readRecords(opened(log.subscribe(found.map(({ first }) => first))), count);
      return read
        .flat()
        .map(numberOf)
        .toSorted((a, b) => a - b);
    }

    test('an empty log has an empty span in each partition, whatever time is asked for', async () => {
      const empty = Array.from({ length: partitionCount }, () => ({ first: 0n, end: 0n }));
      expect(await spans()).toEqual(empty);
      expect(await spans(Date.now() - hourMs)).toEqual(empty);
      expect(await spans(Date.now() + hourMs)).toEqual(empty);
    });

    test('the spans of all that is held begin at its beginning and end behind the last record', async () => {
      await publish(0, 10);
      const ends = [3n, 3n, 2n, 2n];
      expect(await spans()).toEqual(ends.map((end) => ({ first: 0n, end })));
      expect(await within(await spans())).toEqual(Array.from({ length: 10 }, (_, number) => number));
      await publish(10, 12);
      expect((await spans()).map(({ end }) => end)).toEqual([3n, 3n, 3n, 3n]);
    });

    test('what retention has removed is in no span', async () => {
      await publish(0, 8);
      await bench?.forget(region);
      expect(await spans()).toEqual(Array.from({ length: 4 }, () => ({ first: 2n, end: 2n })));
      await publish(8, 10);
      const both = [3n, 3n, 2n, 2n].map((end) => ({ first: 2n, end }));
      expect(await spans()).toEqual(both);
      expect(await within(both)).toEqual([8, 9]);
    });

    test('nothing that was published since a time is left out, and the last record never is', async () => {
      await publish(0, 8);
      const sinceMs = Date.now();
      await publish(8, 16);
      const numbers = await within(await spans(sinceMs));
      expect(numbers).toEqual(expect.arrayContaining([8, 9, 10, 11, 12, 13, 14, 15]));
      const last = await within(await spans(Date.now() + hourMs));
      expect(last).toEqual(expect.arrayContaining([12, 13, 14, 15]));
      expect(await within(await spans(Date.now() - hourMs))).toHaveLength(16);
    });

    test('P2: a log with another partition count is not taken for the one that was asked for', async () => {
      await publish(0, 8);
      for (const count of [partitionCount - 1, partitionCount + 1])
        await expect(log.spans(count, null)).rejects.toMatchObject(unavailable);
    });

    test('a log that is not there is not an empty one', async () => {
      const { log: absent } = await newLog();
      await expect(absent.spans(partitionCount, null)).rejects.toMatchObject(unavailable);
      await expect(absent.newestProgress(countsAlways)).rejects.toMatchObject(unavailable);
    });

    test('a log that does not answer is not waited for without end, and answers again', async () => {
      await publish(0, 4);
      await bench?.freeze();
      const asked = await Promise.allSettled([spans(), log.newestProgress(countsAlways)]);
      await bench?.thaw();
      for (const outcome of asked) expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
      const found = await vi.waitFor(() => spans(), recovery);
      expect(found.map(({ end }) => end)).toEqual([1n, 1n, 1n, 1n]);
    }, 60_000);

    test('the changes are read from where it was asked, and go on', async () => {
      await publish(0, 8);
      const subscription = opened(log.subscribe([2n, 1n, 0n, 2n]));
      await publish(8, 12);
      const read = await readRecords(subscription, 7);
      expect(read.map((records) => records.map(numberOf))).toEqual([[8], [5, 9], [2, 6, 10], [11]]);
    });

    test('the tail is what comes in partition 0 from then on, and nothing else', async () => {
      await publish(0, 8);
      const tail = opened(log.tail(partitionCount));
      await until('it listens', 30_000, () => tail.connected);
      await publish(8, 20);
      const read = await readRecords(tail, 3);
      expect(read.map((records) => records.map(numberOf))).toEqual([[8, 12, 16], [], [], []]);
      await publish(20, 28);
      const more = await readRecords(tail, 2);
      expect(more.map((records) => records.map(numberOf))).toEqual([[20, 24], [], [], []]);
    }, 40_000);

    test('the tail of a log that is made later misses nothing once it listens', async () => {
      const { of, log: later } = await newLog();
      const tail = opened(later.tail(partitionCount));
      expect(tail.connected).toBe(false);
      const laterSink = bench?.sinkOf(of) ?? expect.fail('a bench');
      await vi.waitFor(() => laterSink.prepare(partitionCount), recovery);
      await until('it listens', 30_000, () => tail.connected);
      await laterSink.publish([recordOf(4)]);
      await laterSink.publish([recordOf(8)]);
      expect((await readRecords(tail, 2))[0]?.map(numberOf)).toEqual([4, 8]);
      await laterSink.close();
    }, 60_000);

    test('what is read ends for a waiting reader too when it is closed', async () => {
      const [tail, all] = [opened(log.tail(partitionCount)), opened(log.subscribe(fromBeginning()))];
      const waiting = [tail.next(), all.next()];
      await Promise.all([tail.close(), all.close()]);
      expect(await Promise.all(waiting)).toEqual([null, null]);
    });

    test('the newest progress is the last one that counts, and nothing older is looked at', async () => {
      expect(await log.newestProgress(countsAlways)).toBeNull();
      for (let number = 0; number < 30; number++) await sink.publishProgress(Buffer.from(`record ${number}`));
      const text = (bytes: Uint8Array | null) => bytes && Buffer.from(bytes).toString();
      expect(text(await log.newestProgress(countsAlways))).toBe('record 29');
      const seen: string[] = [];
      const found = await log.newestProgress((bytes) => {
        seen.push(text(bytes) ?? '');
        return text(bytes) === 'record 3';
      });
      expect(text(found)).toBe('record 3');
      expect(seen).toEqual(Array.from({ length: 27 }, (_, back) => `record ${29 - back}`));
      expect(await log.newestProgress(() => false)).toBeNull();
    });

    test('questions that are asked at once are each answered', async () => {
      await publish(0, 4);
      await sink.publishProgress(Buffer.from('record 1'));
      const asked = Array.from({ length: 4 }, () => Promise.all([spans(), log.newestProgress(countsAlways)]));
      for (const [found, progress] of await Promise.all(asked)) {
        expect(found.map(({ end }) => end)).toEqual([1n, 1n, 1n, 1n]);
        expect(Buffer.from(progress ?? []).toString()).toBe('record 1');
      }
    });
  });
}
