/**
 * The port `OwnLog` on the region's own Kafka. Times are those that producers gave their records, so whoever asks for
 * a time leaves room for clocks that differ. Each question takes a connection of its own, which is left within seconds
 * where the broker is silent.
 */
import type { FeedSubscription } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import type { LogSpan, OwnLog } from '../../ports/own-log.ts';
import { assert } from '../../errors.ts';
import { defaultStallTimeoutMs } from './kafka-connection.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { KafkaSubscription } from './subscription.ts';
import { TopicReader } from './topic-reader.ts';
import { changesTopic, controlTopic, progressTopic } from './topics.ts';

export interface OwnLogOptions {
  readonly region: RegionId;
  readonly cluster: KafkaCluster;
  readonly logger: Logger;
}

const maxUnreadBytes = 8 * 1024 * 1024;

/** What is heard there is looked up a second later, so it need not come one by one. */
const tailBytes = 256 * 1024;

export class KafkaOwnLog implements OwnLog {
  readonly #options: OwnLogOptions;

  constructor(options: OwnLogOptions) {
    this.#options = options;
  }

  spans(partitionCount: number, sinceMs: number | null): Promise<readonly LogSpan[]> {
    const topic = changesTopic(this.#options.region);
    return this.#ask({ topic, partitionCount }, (reader) =>
      Promise.all(
        Array.from({ length: partitionCount }, (_, partition) => spanOf(reader, partition, sinceMs)),
      ),
    );
  }

  subscribe(offsets: readonly bigint[]): FeedSubscription {
    const topic = changesTopic(this.#options.region);
    return new KafkaSubscription({
      ...this.#common(),
      topic,
      partitionCount: offsets.length,
      offsets,
      edge: 'beginning',
    });
  }

  tail(partitionCount: number): FeedSubscription {
    const topic = changesTopic(this.#options.region);
    return new KafkaSubscription({
      ...this.#common(),
      topic,
      partitionCount,
      offsets: Array.from({ length: partitionCount }, () => null),
      edge: 'end',
      only: 0,
      leastBytes: tailBytes,
    });
  }

  claims(): FeedSubscription {
    const topic = controlTopic(this.#options.region);
    return new KafkaSubscription({
      ...this.#common(),
      topic,
      partitionCount: 1,
      offsets: [null],
      edge: 'end',
    });
  }

  newestProgress(): Promise<Uint8Array | null> {
    const topic = progressTopic(this.#options.region);
    return this.#ask({ topic, partitionCount: 1 }, async (reader, leader) => {
      const { first, end } = await spanOf(reader, 0, Number.MAX_SAFE_INTEGER);
      if (first === end) return null;
      const fetched = await reader.fetch(leader, [{ partition: 0, offset: first }]);
      return fetched.kind === 'records' ? (fetched.partitions[0]?.records.at(-1)?.bytes ?? null) : null;
    });
  }

  async #ask<T>(
    of: { readonly topic: string; readonly partitionCount: number },
    question: (reader: TopicReader, leader: number) => Promise<T>,
  ): Promise<T> {
    const reader = new TopicReader({ ...this.#common(), ...of, attempt: 0 });
    try {
      const [leader] = (await reader.open()).keys();
      assert(leader !== undefined, 'a topic has a leader');
      return await question(reader, leader);
    } finally {
      reader.close();
    }
  }

  #common() {
    const { region, cluster, logger } = this.#options;
    return {
      cluster,
      clientId: `isthmus-${region}`,
      logger,
      stallTimeoutMs: defaultStallTimeoutMs,
      maxUnreadBytes,
    };
  }
}

/** The last record is always in it. */
async function spanOf(reader: TopicReader, partition: number, sinceMs: number | null): Promise<LogSpan> {
  const [beginning, end, since] = await Promise.all([
    reader.edge(partition, 'beginning'),
    reader.edge(partition, 'end'),
    sinceMs === null ? null : reader.offsetAt(partition, sinceMs),
  ]);
  const last = end > beginning ? end - 1n : end;
  if (sinceMs === null) return { first: beginning, end };
  return { first: since === null || since > last ? last : since, end };
}
