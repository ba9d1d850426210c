/** A region's own log in memory, to read back what was published in its name (P1). It tells no times, so all is read. */
import type { FeedSubscription } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import type { LogSpan, OwnLogSource } from '../../ports/own-log.ts';
import { MemoryChangeFeed, type MemorySubscription } from './change-feed.ts';
import { type MemoryLog, type MemoryPartition, type TopicName, unavailable } from './log.ts';

export interface MemoryOwnLogOptions {
  readonly region: RegionId;
  readonly log: MemoryLog;
  readonly logger: Logger;
}

export class MemoryOwnLog implements OwnLogSource {
  readonly #region: RegionId;
  readonly #log: MemoryLog;
  readonly #feed: MemoryChangeFeed;

  constructor({ region, log, logger }: MemoryOwnLogOptions) {
    this.#region = region;
    this.#log = log;
    this.#feed = new MemoryChangeFeed(new Map([[region, log]]), logger);
  }

  async spans(partitionCount: number): Promise<readonly LogSpan[]> {
    const partitions = this.#partitions('changes');
    if (partitions.length !== partitionCount)
      throw unavailable(`the topic changes has ${partitions.length} partitions and not ${partitionCount}`);
    return partitions.map(({ begin, end }) => ({ first: begin, end }));
  }

  subscribe(offsets: readonly bigint[]): FeedSubscription {
    return this.#feed.subscribe(this.#region, offsets);
  }

  tail(): MemorySubscription {
    return this.#feed.subscribeTail(this.#region);
  }

  claims(): MemorySubscription {
    return this.#feed.subscribeClaims(this.#region);
  }

  async newestProgress(counts: (bytes: Uint8Array) => boolean): Promise<Uint8Array | null> {
    const partition = this.#partitions('progress')[0];
    if (partition === undefined) return null;
    for (let offset = partition.end; offset > partition.begin; offset--) {
      const bytes = partition.read(offset - 1n, 1)[0]?.bytes;
      if (bytes !== undefined && counts(bytes)) return bytes;
    }
    return null;
  }

  #partitions(topic: TopicName): readonly MemoryPartition[] {
    const partitions = this.#log.partitions(topic);
    if (partitions === null) throw unavailable(`the topic ${topic} does not answer`);
    return partitions;
  }
}
