/**
 * The change sink over the region's own Kafka. Changes and progress have a client each, so that trouble with one
 * partition leader does not hide behind the answers of another. Preparing creates what is absent and never alters a
 * topic that exists: another partition count there means another incarnation's layout, which nobody may write into
 * (P2).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin } from 'kafkajs';
import type { ChangeSink, OutgoingRecord } from '../../ports/change-sink.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import { KafkaConnection, defaultStallTimeoutMs } from './kafka-connection.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { adminOf, openCluster } from './kafkajs-internals.ts';
import { TopicWriter, requireCount } from './topic-writer.ts';
import type { WriterOptions } from './topic-writer.ts';
import { changesTopic, progressTopic, topicsOf } from './topics.ts';

export interface ChangeSinkOptions {
  readonly region: RegionId;
  readonly cluster: KafkaCluster;
  readonly logger: Logger;
  /** How long the log keeps changes: the longest absence of a peer that needs no transfer. */
  readonly retentionMs?: number;
  readonly stallTimeoutMs?: number;
}

const weekMs = 7 * 24 * 3_600_000;
const adminRetry = { retries: 8, initialRetryTime: 50, maxRetryTime: 1_000 };
const createTimeoutMs = 10_000;
const servedAttempts = 100;
const servedPauseMs = 30;

export class KafkaChangeSink implements ChangeSink {
  readonly #region: RegionId;
  readonly #retentionMs: number;
  readonly #connecting: WriterOptions;
  readonly #changes: TopicWriter;
  readonly #progress: TopicWriter;
  #attempt = 0;

  constructor(options: ChangeSinkOptions) {
    this.#region = options.region;
    this.#retentionMs = options.retentionMs ?? weekMs;
    this.#connecting = {
      cluster: options.cluster,
      clientId: `isthmus-${options.region}`,
      logger: options.logger,
      stallTimeoutMs: options.stallTimeoutMs ?? defaultStallTimeoutMs,
    };
    this.#changes = new TopicWriter(changesTopic(options.region), this.#connecting);
    this.#progress = new TopicWriter(progressTopic(options.region), this.#connecting);
  }

  async prepare(partitionCount: number): Promise<void> {
    const connection = new KafkaConnection({
      ...this.#connecting,
      attempt: this.#attempt++,
    });
    const options = connection.clusterOptions;
    const admin = adminOf(openCluster(options), options, adminRetry);
    try {
      await connection.answered(this.#createAbsent(admin, partitionCount));
      const topic = changesTopic(this.#region);
      const metadata = await connection.answered(admin.fetchTopicMetadata({ topics: [topic] }));
      const found = metadata.topics[0]?.partitions.length ?? 0;
      requireCount(topic, found, partitionCount);
      this.#changes.expect(partitionCount);
    } finally {
      connection.destroy();
    }
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#changes.append(records);
  }

  publishProgress(bytes: Uint8Array): Promise<void> {
    return this.#progress.append([{ partition: 0, bytes }]);
  }

  async close(): Promise<void> {
    await Promise.all([this.#changes.close(), this.#progress.close()]);
  }

  async #createAbsent(admin: Admin, partitionCount: number): Promise<void> {
    await admin.connect();
    const present = new Set(await admin.listTopics());
    const { brokers } = await admin.describeCluster();
    const plan = {
      region: this.#region,
      partitionCount,
      brokerCount: brokers.length,
      retentionMs: this.#retentionMs,
    };
    const absent = topicsOf(plan).filter(({ topic }) => !present.has(topic));
    if (absent.length === 0) return;
    // Waiting for leaders, the client gives up where a broker has not heard of the topic yet.
    await admin.createTopics({ topics: absent, waitForLeaders: false, timeout: createTimeoutMs });
    for (const { topic } of absent) await untilServed(admin, topic);
  }
}

/** A leader may refuse a new topic for a moment after the metadata have named it. */
async function untilServed(admin: Admin, topic: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await admin.fetchTopicOffsets(topic);
      return;
    } catch (error) {
      if (attempt === servedAttempts) throw error;
      await delay(servedPauseMs);
    }
  }
}
