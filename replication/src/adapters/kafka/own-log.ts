/**
 * The port `OwnLog` on the region's own Kafka. Times are those at which the broker took a record, so whoever asks for
 * a time leaves room for clocks that differ. Each question takes a connection of its own, which is left within seconds
 * where the broker is silent.
 */
import type { FeedSubscription } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import type { LogSpan, OwnLogSource } from '../../ports/own-log.ts';
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
/** Records that a look back reads at most. */
const longestStep = 4096n;

export class KafkaOwnLog implements OwnLogSource {
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

  /** Backwards from the end, and further each time: what does not count may be many. */
  newestProgress(counts: (bytes: Uint8Array) => boolean): Promise<Uint8Array | null> {
    const topic = progressTopic(this.#options.region);
    return this.#ask({ topic, partitionCount: 1 }, async (reader, leader) => {
      const { first, end } = await spanOf(reader, 0, null);
      for (let [until, step] = [end, 1n]; until > first; step = further(step)) {
        const from = until - step > first ? until - step : first;
        const newest = await newestIn({ reader, leader, from, until }, counts);
        if (newest !== null) return newest;
        until = from;
      }
      return null;
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

function further(step: bigint): bigint {
  return step * 8n > longestStep ? longestStep : step * 8n;
}

interface Stretch {
  readonly reader: Pick<TopicReader, 'fetch'>;
  readonly leader: number;
  readonly from: bigint;
  readonly until: bigint;
}

/**
 * Of partition 0; `null`: none counts. Nothing else is kept, because whoever can write there, without a key, can write as
 * much as they like (I12).
 */
export async function newestIn(
  { reader, leader, from, until }: Stretch,
  counts: (bytes: Uint8Array) => boolean,
): Promise<Uint8Array | null> {
  let newest: Uint8Array | null = null;
  for (let offset = from; offset < until; ) {
    const fetched = await reader.fetch(leader, [{ partition: 0, offset }]);
    const [read] = fetched.kind === 'records' ? fetched.partitions : [];
    if (read === undefined) break;
    newest = read.records.findLast((each) => each.offset < until && counts(each.bytes))?.bytes ?? newest;
    offset = read.next;
  }
  return newest;
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
