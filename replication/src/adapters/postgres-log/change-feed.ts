/**
 * The change feed over logs that lie in the peers' own databases, read across the link as a role that may do nothing
 * else there. It knows where each region's log is; what a subscription guarantees is said there. The own region is a
 * peer like any other here, because a region tails its own log too (P1).
 */
import { assert } from '../../errors.ts';
import type { ChangeFeed, FeedSubscription } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import { defaultStallTimeoutMs } from './log-connection.ts';
import { LogSubscription } from './subscription.ts';
import type { SubscriptionOptions } from './subscription.ts';

export interface ChangeFeedOptions {
  /** `postgres://user:password@host:port/database` of each region's log. */
  readonly logs: ReadonlyMap<RegionId, string>;
  readonly logger: Logger;
  /** Of one subscription; exceeded by no more than one answer. */
  readonly maxUnreadBytes?: number;
  readonly stallTimeoutMs?: number;
}

const defaultMaxUnreadBytes = 8 * 1024 * 1024;

export class PostgresLogFeed implements ChangeFeed {
  readonly #options: ChangeFeedOptions;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  subscribe(origin: RegionId, offsets: readonly bigint[]): FeedSubscription {
    const partitionCount = offsets.length;
    return new LogSubscription({ ...this.#common(origin), topic: 'changes', partitionCount, offsets });
  }

  subscribeProgress(peer: RegionId): FeedSubscription {
    return new LogSubscription({
      ...this.#common(peer),
      topic: 'progress',
      partitionCount: 1,
      offsets: null,
    });
  }

  #common(origin: RegionId): Omit<SubscriptionOptions, 'topic' | 'partitionCount' | 'offsets'> {
    const connectionString = this.#options.logs.get(origin);
    assert(connectionString !== undefined, `the log of region ${origin} is not configured`);
    return {
      connectionString,
      origin,
      logger: this.#options.logger,
      stallTimeoutMs: this.#options.stallTimeoutMs ?? defaultStallTimeoutMs,
      maxUnreadBytes: this.#options.maxUnreadBytes ?? defaultMaxUnreadBytes,
    };
  }
}
