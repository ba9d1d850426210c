/**
 * What every pair of change sink and change feed owes the relay and the appliers, whatever carries the log. A bench
 * stands for one log server that several regions write to; each test takes a region of its own.
 */
import type { ChangeFeed, FeedRecord, FeedSubscription } from '@isthmus/replication/ports/change-feed';
import type { ChangeSink, OutgoingRecord } from '@isthmus/replication/ports/change-sink';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { SocketCount } from './socket-count.ts';

export interface LogBench {
  /** A region that nobody has written to. */
  newRegion(): Promise<RegionId>;
  sinkOf(region: RegionId): ChangeSink;
  /** Reads that region's log. */
  feedOf(region: RegionId, options?: { readonly maxUnreadBytes?: number }): ChangeFeed;
  /** As retention does: nothing that the changes hold now is held any longer. */
  forget(region: RegionId): Promise<void>;
  /** The changes are gone, as if they had never been; `prepare` makes them anew. */
  dropChanges(region: RegionId): Promise<void>;
  /** What was told to an operator so far. */
  readonly warnings: readonly string[];
  /** Ends the server in good order and starts it again. */
  restart(): Promise<void>;
  /** Ends the server as a power cut would and starts it again. */
  killAndRestart(): Promise<void>;
  /** The server stops to answer, and nobody is told. */
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  /** Whether what is read comes over sockets of this process, whose bytes can be counted. */
  readonly isOverSockets: boolean;
  /** Upper bound in which silence must have been noticed. */
  readonly silenceNoticedMs: number;
  close(): Promise<void>;
}

export const partitionCount = 4;
const mebibyte = 1024 * 1024;
const recovery = { timeout: 40_000, interval: 50 };

export function recordOf(number: number, partition = number % partitionCount): OutgoingRecord {
  return { partition, bytes: Buffer.from(`record ${number}`) };
}

export function numberOf(record: FeedRecord): number {
  return Number(Buffer.from(record.bytes).toString().split(' ')[1]);
}

export function fromBeginning(): bigint[] {
  return Array.from({ length: partitionCount }, () => 0n);
}

/** What came, by partition, once so many records have come. */
export async function readRecords(subscription: FeedSubscription, count: number): Promise<FeedRecord[][]> {
  const found: FeedRecord[][] = Array.from({ length: partitionCount }, () => []);
  for (let seen = 0; seen < count; ) {
    const batch = await subscription.next();
    expect(batch).not.toBeNull();
    for (const record of batch?.records ?? []) found[batch?.partition ?? 0]?.push(record);
    seen += batch?.records.length ?? 0;
  }
  return found;
}

/** Publishes as a relay does: the same again, until the log holds it. */
export async function publishSoon(sink: ChangeSink, records: readonly OutgoingRecord[]): Promise<void> {
  await vi.waitFor(() => sink.publish(records), recovery);
}

export function changeSinkFeedContract(name: string, openBench: () => Promise<LogBench>): void {
  describe(`change sink and feed contract: ${name}`, () => {
    let bench: LogBench;
    let region: RegionId;
    let sink: ChangeSink;
    let feed: ChangeFeed;
    const open: FeedSubscription[] = [];
    const subscribe = (offsets = fromBeginning()): FeedSubscription => {
      const subscription = feed.subscribe(region, offsets);
      open.push(subscription);
      return subscription;
    };
    beforeAll(async () => {
      bench = await openBench();
    }, 120_000);
    beforeEach(async () => {
      region = await bench.newRegion();
      sink = bench.sinkOf(region);
      feed = bench.feedOf(region);
      await vi.waitFor(() => sink.prepare(partitionCount), recovery);
    }, 60_000);
    afterEach(async () => {
      await Promise.all(open.splice(0).map((subscription) => subscription.close()));
      await sink.close();
    });
    afterAll(() => bench.close());

    test('records arrive whole and in order, and offsets grow', async () => {
      const subscription = subscribe();
      for (let number = 0; number < 200; number += 8)
        await sink.publish(Array.from({ length: 8 }, (_, index) => recordOf(number + index)));
      const partitions = await readRecords(subscription, 200);
      for (const [partition, records] of partitions.entries()) {
        expect(records.map(numberOf)).toEqual(
          Array.from({ length: 50 }, (_, index) => partition + index * partitionCount),
        );
        expectGrowing(records);
      }
    });

    test('a subscription begins where it was asked to', async () => {
      await sink.publish(Array.from({ length: 80 }, (_, number) => recordOf(number)));
      const first = await readRecords(subscribe(), 80);
      const offsets = first.map((records, partition) => records[10 + partition]?.offset ?? 0n);
      const second = await readRecords(subscribe(offsets), 80 - 10 - 11 - 12 - 13);
      expect(second).toEqual(first.map((records, partition) => records.slice(10 + partition)));
    });

    test('partitions that start at different places get neither more nor less', async () => {
      await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
      const first = await readRecords(subscribe(), 40);
      const offsets = first.map((records, partition) => (partition === 1 ? 0n : afterLast(records)));
      const second = subscribe(offsets);
      await sink.publish(Array.from({ length: 4 }, (_, number) => recordOf(40 + number)));
      const partitions = await readRecords(second, 14);
      expect(partitions.map((records) => records.map(numberOf))).toEqual([
        [40],
        [...(first[1]?.map(numberOf) ?? []), 41],
        [42],
        [43],
      ]);
    });

    test('rewinding reads one partition again from its beginning', async () => {
      const subscription = subscribe();
      await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
      const first = await readRecords(subscription, 40);
      expect(await subscription.rewind(2)).toBe((first[2]?.at(-1)?.offset ?? 0n) + 1n);
      await sink.publish([recordOf(42)]);
      const again = await readRecords(subscription, 11);
      expect(again[2]?.map(numberOf)).toEqual([...(first[2]?.map(numberOf) ?? []), 42]);
      expect(again.map((records) => records.length)).toEqual([0, 0, 11, 0]);
    });

    test('a partition is taken back to an offset, and where nothing can lie there to its beginning', async () => {
      const subscription = subscribe();
      await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
      const first = await readRecords(subscription, 40);
      const of2 = first[2] ?? [];
      const from = of2[6]?.offset ?? expect.fail('ten records of each partition');
      expect(await subscription.rewind(2, from)).toBe(afterLast(of2));
      const again = await readRecords(subscription, 4);
      expect(again.map((records) => records.map(numberOf))).toEqual([[], [], [26, 30, 34, 38], []]);
      expect(await subscription.rewind(2, afterLast(of2))).toBe(afterLast(of2));
      await sink.publish([recordOf(42)]);
      expect((await readRecords(subscription, 1))[2]?.map(numberOf)).toEqual([42]);
      const beyond = afterLast(of2) + 1_000n;
      await subscription.rewind(2, beyond);
      await sink.publish([recordOf(3)]);
      const anew = await readRecords(subscription, 12);
      expect(anew[2]?.map(numberOf)).toEqual([...of2.map(numberOf), 42]);
      expect(anew[3]?.map(numberOf)).toEqual([3]);
    });

    test('rewinding while records are unread hands out nothing from before', async () => {
      const subscription = subscribe();
      await sink.publish([recordOf(0)]);
      await readRecords(subscription, 1);
      for (let round = 1; round <= 5; round++) {
        await sink.publish([recordOf(round * partitionCount)]);
        await sink.publish([recordOf(round * partitionCount)]);
        await subscription.rewind(0);
        const batch = await subscription.next();
        expect(batch?.records[0]?.offset).toBe(0n);
        expect(batch?.records.slice(0, 2 * round + 1).map(numberOf)[0]).toBe(0);
      }
    });

    test('rewinding several partitions at once reads each of them once more, also while nothing is taken', async () => {
      const slow = bench.feedOf(region, { maxUnreadBytes: 1_000 }).subscribe(region, fromBeginning());
      open.push(slow);
      await sink.publish(Array.from({ length: 80 }, (_, number) => recordOf(number)));
      const first = await slow.next();
      expect(first).not.toBeNull();
      const ends = await Promise.all([0, 1, 2, 3].map((partition) => slow.rewind(partition)));
      const partitions = await readRecords(slow, 80);
      expect(partitions.map((records) => records.map(numberOf))).toEqual(
        [0, 1, 2, 3].map((partition) => Array.from({ length: 20 }, (_, index) => partition + 4 * index)),
      );
      expect(partitions.map(afterLast)).toEqual(ends);
    });

    test('a log that does not exist yet is waited for', async () => {
      const later = await bench.newRegion();
      const subscription = bench.feedOf(later).subscribe(later, fromBeginning());
      const reading = readRecords(subscription, 1);
      expect(subscription.connected).toBe(false);
      await expect(subscription.rewind(0)).rejects.toMatchObject({
        code: 'log-unavailable',
        retriable: true,
      });
      const laterSink = bench.sinkOf(later);
      await expect(laterSink.publish([recordOf(1)])).rejects.toMatchObject({ code: 'log-unavailable' });
      await laterSink.prepare(partitionCount);
      await laterSink.publish([recordOf(1)]);
      expect((await reading)[1]?.map(numberOf)).toEqual([1]);
      expect(subscription.connected).toBe(true);
      await Promise.all([subscription.close(), laterSink.close()]);
    }, 20_000);

    test('a closed subscription ends, for a waiting reader too', async () => {
      const subscription = subscribe();
      const waiting = subscription.next();
      await subscription.close();
      expect(await waiting).toBeNull();
      expect(await subscription.next()).toBeNull();
      await subscription.close();
    });

    test('progress is heard from the moment that a subscription stands', async () => {
      await sink.publishProgress(Buffer.from('record 1'));
      const subscription = feed.subscribeProgress(region);
      open.push(subscription);
      await vi.waitFor(() => expect(subscription.connected).toBe(true), recovery);
      await sink.publishProgress(Buffer.from('record 2'));
      await sink.publishProgress(Buffer.from('record 3'));
      expect((await readRecords(subscription, 2))[0]?.map(numberOf)).toEqual([2, 3]);
    });

    test('P2: a log with another partition count is refused, the same count is not', async () => {
      await sink.prepare(partitionCount);
      await expect(sink.prepare(partitionCount + 1)).rejects.toMatchObject({
        code: 'partition-count-mismatch',
        retriable: false,
      });
    });

    test('a record of four mebibytes passes, and what follows it', async () => {
      const subscription = subscribe();
      const large = noise(4 * mebibyte);
      await sink.publish([{ partition: 0, bytes: large }]);
      await sink.publish([recordOf(4)]);
      const [records] = await readRecords(subscription, 2);
      expect(Buffer.compare(records?.[0]?.bytes ?? Buffer.of(), large)).toBe(0);
      expect(records?.slice(1).map(numberOf)).toEqual([4]);
    }, 20_000);

    test('a closed subscription rewinds no more', async () => {
      const subscription = subscribe();
      await sink.publish([recordOf(0)]);
      await readRecords(subscription, 1);
      await subscription.close();
      await expect(subscription.rewind(0)).rejects.toMatchObject({ code: 'log-unavailable' });
    });

    test('I12: a slow reader holds back the feed, and goes on where it was', async () => {
      if (!bench.isOverSockets) return;
      const total = 48;
      for (let number = 0; number < total; number++)
        await sink.publish([{ partition: number % partitionCount, bytes: noise(mebibyte) }]);
      const count = new SocketCount();
      const slow = bench.feedOf(region, { maxUnreadBytes: 2 * mebibyte }).subscribe(region, fromBeginning());
      open.push(slow);
      await vi.waitFor(() => expect(count.bytesRead).toBeGreaterThan(2 * mebibyte), recovery);
      count.close();
      await readRecords(subscribe(), total);
      expect(count.bytesRead).toBeLessThan(8 * mebibyte);
      expect((await readRecords(slow, total)).map((records) => records.length)).toEqual([12, 12, 12, 12]);
    }, 40_000);

    test('I12: of a few bytes in which a great deal lies, no more is taken at once than there is room for', async () => {
      if (!bench.isOverSockets) return;
      const large = Array.from({ length: 7 }, () => ({ partition: 0, bytes: Buffer.alloc(4 * mebibyte) }));
      for (let round = 0; round < 6; round++) await sink.publish(large);
      await sink.publish([recordOf(1), recordOf(4)]);
      const slow = bench.feedOf(region, { maxUnreadBytes: mebibyte }).subscribe(region, fromBeginning());
      open.push(slow);
      const found: number[] = [];
      while (found.length < 44) {
        const records = (await slow.next())?.records ?? expect.fail('a batch');
        expect(records.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(64 * mebibyte);
        for (const { bytes } of records) found.push(bytes.length);
      }
      expect(found.filter((length) => length === 4 * mebibyte).length).toBe(42);
    }, 40_000);

    test('I3: what retention has removed is told to an operator, and reading goes on behind it', async () => {
      await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
      const first = await readRecords(subscribe(), 40);
      await bench.forget(region);
      await sink.publish(Array.from({ length: 8 }, (_, number) => recordOf(40 + number)));
      const told = bench.warnings.length;
      const late = subscribe(first.map((records) => records[2]?.offset ?? 0n));
      const partitions = await readRecords(late, 8);
      expect(partitions.map((records) => records.map(numberOf))).toEqual(
        [0, 1, 2, 3].map((n) => [40 + n, 44 + n]),
      );
      expect(bench.warnings.slice(told)).toContainEqual(expect.stringContaining('nothing can lie'));
    }, 20_000);

    test('rewinding a log that retention has emptied finds its end', async () => {
      const subscription = subscribe();
      await sink.publish(Array.from({ length: 8 }, (_, number) => recordOf(number)));
      await readRecords(subscription, 8);
      await bench.forget(region);
      await sink.publish([recordOf(8)]);
      const [records] = await readRecords(subscription, 1);
      expect(await subscription.rewind(0)).toBe(afterLast(records ?? []));
      expect((await readRecords(subscription, 1))[0]).toEqual(records);
    }, 20_000);

    test('I3: a log that was made anew is read from its beginning', async () => {
      const subscription = subscribe();
      await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
      await readRecords(subscription, 40);
      await bench.dropChanges(region);
      await vi.waitFor(() => sink.prepare(partitionCount), recovery);
      await publishSoon(sink, [recordOf(100)]);
      const [records] = await readRecords(subscription, 1);
      expect(records?.map(numberOf)).toEqual([100]);
      expect(records?.[0]?.offset).toBe(0n);
    }, 40_000);

    test('a restart of the server loses nothing, doubles only what was sent again, and keeps the order', async () => {
      await writtenThrough(() => bench.restart());
    }, 90_000);

    test('nor does a kill of the server', async () => {
      await writtenThrough(() => bench.killAndRestart());
    }, 90_000);

    test('a server that falls silent is left within seconds, and taken up again', async () => {
      const subscription = subscribe();
      await publishSoon(sink, [recordOf(0)]);
      await readRecords(subscription, 1);
      await bench.freeze();
      const frozenAtMs = performance.now();
      await expect(sink.publish([recordOf(4)])).rejects.toMatchObject({
        code: 'log-unavailable',
        retriable: true,
      });
      await vi.waitFor(() => expect(subscription.connected).toBe(false), recovery);
      expect(performance.now() - frozenAtMs).toBeLessThan(bench.silenceNoticedMs);
      await expect(subscription.rewind(0)).rejects.toMatchObject({ code: 'log-unavailable' });
      await bench.thaw();
      const reading = readUntil(subscription, 8);
      await publishSoon(sink, [recordOf(4)]);
      await publishSoon(sink, [recordOf(8)]);
      expect([...new Set(await reading)].filter((number) => number > 0)).toEqual([4, 8]);
      expect(subscription.connected).toBe(true);
    }, 90_000);

    async function writtenThrough(trouble: () => Promise<void>): Promise<void> {
      const count = 600;
      const subscription = subscribe();
      const reading = readUntil(subscription, (count - 1) * partitionCount);
      let written = 0;
      const writing = (async () => {
        for (; written < count; written++) await publishSoon(sink, [recordOf(written * partitionCount)]);
      })();
      await vi.waitFor(() => expect(written).toBeGreaterThan(count / 6), { ...recovery, interval: 1 });
      await trouble();
      await writing;
      const numbers = await reading;
      expect([...new Set(numbers)]).toEqual(
        Array.from({ length: count }, (_, index) => index * partitionCount),
      );
      expect(numbers.length).toBeLessThan(count + 100);
    }
  });
}

function afterLast(records: readonly FeedRecord[]): bigint {
  return (records.at(-1)?.offset ?? -1n) + 1n;
}

function expectGrowing(records: readonly FeedRecord[]): void {
  const offsets = records.map(({ offset }) => offset);
  expect(offsets.every((offset, index) => index === 0 || offset > (offsets[index - 1] ?? 0n))).toBe(true);
}

/** The numbers of the first partition, as they come, up to this one. */
async function readUntil(subscription: FeedSubscription, last: number): Promise<number[]> {
  const numbers: number[] = [];
  while (!numbers.includes(last)) {
    const batch = await subscription.next();
    expect(batch).not.toBeNull();
    numbers.push(...(batch?.records.map(numberOf) ?? []));
  }
  return numbers;
}

/** Bytes that no compression shrinks, the same at every run. */
export function noise(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = 1;
  for (let offset = 0; offset < sizeBytes; offset++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[offset] = state >>> 16;
  }
  return bytes;
}
