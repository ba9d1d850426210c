/**
 * One feed over peers whose logs are of different kinds: each region's subscriptions are opened by the feed that
 * knows its kind.
 */
import { assert } from '../errors.ts';
import type { ChangeFeed, FeedSubscription } from '../ports/change-feed.ts';
import type { RegionId } from '../ports/identity.ts';

export class FeedByRegion implements ChangeFeed {
  readonly #feeds: ReadonlyMap<RegionId, ChangeFeed>;

  constructor(feeds: ReadonlyMap<RegionId, ChangeFeed>) {
    this.#feeds = feeds;
  }

  subscribe(origin: RegionId, offsets: readonly bigint[]): FeedSubscription {
    return this.#feedOf(origin).subscribe(origin, offsets);
  }

  subscribeProgress(peer: RegionId): FeedSubscription {
    return this.#feedOf(peer).subscribeProgress(peer);
  }

  #feedOf(region: RegionId): ChangeFeed {
    const feed = this.#feeds.get(region);
    assert(feed !== undefined, `the log of region ${region} is not configured`);
    return feed;
  }
}
