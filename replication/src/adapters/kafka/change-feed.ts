/**
 * The change feed over the peers' own Kafka clusters, read across the link with no mirror in between. It knows where
 * each region's brokers are; what a subscription guarantees is said there. The own region is a peer like any other
 * here, because a region tails its own log too (P1).
 */
import { assert } from '../../errors.ts';
import type { ChangeFeed, FeedSubscription } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import { defaultStallTimeoutMs } from './kafka-connection.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { KafkaSubscription } from './subscription.ts';
import type { SubscriptionOptions } from './subscription.ts';
import { changesTopic, progressTopic } from './topics.ts';

export interface ChangeFeedOptions {
  /** The region that reads; it names the client to the brokers. */
  readonly region: RegionId;
  readonly clusters: ReadonlyMap<RegionId, KafkaCluster>;
  readonly logger: Logger;
  /** Of one subscription; exceeded by no more than one fetch for each partition leader. */
  readonly maxUnreadBytes?: number;
  readonly stallTimeoutMs?: number;
  /** Changes of the origin arrived that its relay sent at this time of its clock. */
  readonly onArrived?: (origin: RegionId, sentMs: number) => void;
  /** Other partitions of the origin's changes than before cannot be read while the rest can, or none any more. */
  readonly onUnreachable?: (origin: RegionId, partitions: readonly number[]) => void;
}

const defaultMaxUnreadBytes = 8 * 1024 * 1024;

export class KafkaChangeFeed implements ChangeFeed {
  readonly #options: ChangeFeedOptions;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  subscribe(origin: RegionId, offsets: readonly bigint[]): FeedSubscription {
    return new KafkaSubscription({
      ...this.#common(origin),
      topic: changesTopic(origin),
      partitionCount: offsets.length,
      offsets,
      edge: 'beginning',
      onArrived: (sentMs) => this.#options.onArrived?.(origin, sentMs),
      onUnreachable: (partitions) => this.#options.onUnreachable?.(origin, partitions),
    });
  }

  subscribeProgress(peer: RegionId): FeedSubscription {
    return new KafkaSubscription({
      ...this.#common(peer),
      topic: progressTopic(peer),
      partitionCount: 1,
      offsets: [null],
      edge: 'end',
    });
  }

  #common(peer: RegionId): Omit<SubscriptionOptions, 'topic' | 'partitionCount' | 'offsets' | 'edge'> {
    const cluster = this.#options.clusters.get(peer);
    assert(cluster !== undefined, `the Kafka of region ${peer} is not configured`);
    return {
      cluster,
      clientId: `isthmus-${this.#options.region}`,
      logger: this.#options.logger,
      stallTimeoutMs: this.#options.stallTimeoutMs ?? defaultStallTimeoutMs,
      maxUnreadBytes: this.#options.maxUnreadBytes ?? defaultMaxUnreadBytes,
    };
  }
}
