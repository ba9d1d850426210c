/** The contracts of change sink, change feed and own log on the log in memory, and what readers see when it loses something. */
import { MemoryChangeFeed } from '@isthmus/replication/adapters/memory/change-feed';
import { MemoryChangeSink } from '@isthmus/replication/adapters/memory/change-sink';
import { MemoryLog } from '@isthmus/replication/adapters/memory/log';
import { MemoryOwnLog } from '@isthmus/replication/adapters/memory/own-log';
import { assert } from '@isthmus/replication/errors';
import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import { describe, expect, test } from 'vitest';
import {
  changeSinkFeedContract,
  fromBeginning,
  type LogBench,
  numberOf,
  partitionCount,
  readRecords,
  recordOf,
} from './change-sink-feed.contract.ts';
import { ownLogContract } from './own-log.contract.ts';

class MemoryBench implements LogBench {
  readonly silenceNoticedMs = 1000;
  readonly isOverSockets = false;
  readonly warnings: string[] = [];
  readonly #logs = new Map<RegionId, MemoryLog>();

  newRegion(): Promise<RegionId> {
    const region = parseRegionId(`r${this.#logs.size}`);
    assert(region !== null, 'a region');
    this.#logs.set(region, new MemoryLog());
    return Promise.resolve(region);
  }

  sinkOf(region: RegionId): MemoryChangeSink {
    return new MemoryChangeSink(this.logOf(region));
  }

  feedOf(): MemoryChangeFeed {
    const warn = (_: unknown, message: string): void => void this.warnings.push(message);
    const quiet = (): void => undefined;
    return new MemoryChangeFeed(this.#logs, { debug: quiet, info: quiet, warn, error: quiet });
  }

  logOf(region: RegionId): MemoryLog {
    const log = this.#logs.get(region);
    assert(log !== undefined, 'a region of this bench');
    return log;
  }

  async forget(region: RegionId): Promise<void> {
    for (const partition of this.logOf(region).partitions('changes') ?? [])
      partition.dropBefore(partition.end);
  }

  async dropChanges(region: RegionId): Promise<void> {
    this.logOf(region).delete('changes');
  }

  async restart(): Promise<void> {
    await this.freeze();
    await this.thaw();
  }

  killAndRestart(): Promise<void> {
    return this.restart();
  }

  async freeze(): Promise<void> {
    for (const log of this.#logs.values()) log.stop();
  }

  async thaw(): Promise<void> {
    for (const log of this.#logs.values()) log.start();
  }

  async close(): Promise<void> {}
}

changeSinkFeedContract('memory', () => Promise.resolve(new MemoryBench()));

ownLogContract('memory', async () => {
  const bench = new MemoryBench();
  const quiet = (): void => undefined;
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  return {
    bench,
    ownLogOf: (region) => new MemoryOwnLog({ region, log: bench.logOf(region), logger }),
  };
});

describe('the log in memory', () => {
  async function written() {
    const bench = new MemoryBench();
    const region = await bench.newRegion();
    const sink = bench.sinkOf(region);
    await sink.prepare(partitionCount);
    await sink.publish(Array.from({ length: 40 }, (_, number) => recordOf(number)));
    const subscription = bench.feedOf().subscribe(region, fromBeginning());
    return { log: bench.logOf(region), sink, subscription };
  }

  test('I3: what was dropped at the beginning is not there, and the rest begins where it did', async () => {
    const { log, subscription } = await written();
    log.partitions('changes')?.[0]?.dropBefore(6n);
    const [records] = await readRecords(subscription, 34);
    expect(records?.map(({ offset }) => offset)).toEqual([6n, 7n, 8n, 9n]);
  });

  test('I3: offsets whose records were lost at the end are used again', async () => {
    const { log, sink, subscription } = await written();
    await readRecords(subscription, 40);
    log.partitions('changes')?.[0]?.dropNewest(3);
    await sink.publish([recordOf(100)]);
    const [records] = await readRecords(subscription, 8);
    expect(records?.map(({ offset }) => offset)).toEqual([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n]);
    expect(records?.map(numberOf).at(-1)).toBe(100);
  });

  test('I12: a partition keeps so many bytes and drops the oldest', () => {
    const log = new MemoryLog({ retentionBytes: 100 });
    log.create('changes', 1);
    for (let number = 0; number < 50; number++)
      log.append('changes', [{ partition: 0, bytes: new Uint8Array(30) }]);
    const partition = log.partitions('changes')?.[0];
    expect([partition?.begin, partition?.end]).toEqual([47n, 50n]);
  });
});
