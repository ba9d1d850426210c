/**
 * The port `OwnLog` on a log in the region's own Postgres. Times are those of that database. Each question takes a
 * connection of its own, which is left within seconds where the server is silent. Such a log goes back in time together
 * with the database that holds it, so it can never testify against a restored one; it tells what it holds.
 */
import type { FeedSubscription } from '../../ports/change-feed.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import type { LogSpan, OwnLog } from '../../ports/own-log.ts';
import { defaultStallTimeoutMs } from './log-connection.ts';
import { LogReader } from './log-reader.ts';
import { LogSubscription } from './subscription.ts';
import type { TopicName } from './topic.ts';

export interface OwnLogOptions {
  readonly region: RegionId;
  readonly connectionString: string;
  readonly logger: Logger;
}

const maxUnreadBytes = 8 * 1024 * 1024;

export class PostgresOwnLog implements OwnLog {
  readonly #options: OwnLogOptions;

  constructor(options: OwnLogOptions) {
    this.#options = options;
  }

  spans(partitionCount: number, sinceMs: number | null): Promise<readonly LogSpan[]> {
    return this.#ask('changes', partitionCount, async (reader) => {
      const since = sinceMs === null ? null : await reader.offsetAt(sinceMs);
      const spans: LogSpan[] = [];
      for (let partition = 0; partition < partitionCount; partition++) {
        const { beginning, partitionEnd: end } = await reader.edges(partition);
        const first = since === null || since < beginning ? beginning : since;
        const last = end > beginning ? end - 1n : end;
        spans.push({ first: first < last ? first : last, end });
      }
      return spans;
    });
  }

  subscribe(offsets: readonly bigint[]): FeedSubscription {
    return new LogSubscription({ ...this.#common('changes', offsets.length), offsets });
  }

  tail(partitionCount: number): FeedSubscription {
    return new LogSubscription({ ...this.#common('changes', partitionCount), offsets: null, only: 0 });
  }

  newestProgress(): Promise<Uint8Array | null> {
    return this.#ask('progress', 1, async (reader) => {
      const { beginning, end } = await reader.edges(0);
      if (beginning === end) return null;
      const found = await reader.read({ scanFrom: end - 1n, offsets: [end - 1n] });
      return found.kind === 'records' ? (found.records.at(-1)?.bytes ?? null) : null;
    });
  }

  async #ask<T>(
    topic: TopicName,
    partitionCount: number,
    question: (reader: LogReader) => Promise<T>,
  ): Promise<T> {
    const reader = new LogReader(this.#common(topic, partitionCount));
    try {
      await reader.open();
      return await question(reader);
    } finally {
      reader.close();
    }
  }

  #common(topic: TopicName, partitionCount: number) {
    const { region: origin, connectionString, logger } = this.#options;
    const limits = { stallTimeoutMs: defaultStallTimeoutMs, maxUnreadBytes };
    return { connectionString, origin, topic, partitionCount, logger, ...limits };
  }
}
