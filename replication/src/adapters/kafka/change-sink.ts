/**
 * The change sink over the region's own Kafka. Changes and progress have a client each, so that trouble with one
 * partition leader does not hide behind the answers of another. Preparing creates what is absent and never alters a
 * topic that exists: another partition count there means another incarnation's layout, which nobody may write into
 * (P2).
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Admin, ITopicMetadata } from 'kafkajs';
import type { ChangeSink, OutgoingRecord } from '../../ports/change-sink.ts';
import type { RegionId } from '../../ports/identity.ts';
import type { Logger } from '../../ports/logger.ts';
import { KafkaConnection, defaultStallTimeoutMs, unavailable } from './kafka-connection.ts';
import type { KafkaCluster } from './kafka-connection.ts';
import { adminOf, openCluster } from './kafkajs-internals.ts';
import { TopicWriter, requireCount } from './topic-writer.ts';
import type { WriterOptions } from './topic-writer.ts';
import { changesTopic, progressTopic, replicasFor, topicsOf } from './topics.ts';
import type { TopicPlan } from './topics.ts';

export interface ChangeSinkOptions {
  readonly region: RegionId;
  readonly cluster: KafkaCluster;
  readonly logger: Logger;
  /** How long the log keeps changes: the longest absence of a peer that needs no transfer. */
  readonly retentionMs?: number;
  /**
   * How many brokers hold each topic that is made. Nothing is made while fewer are up. By default as many as are up, at
   * most three.
   */
  readonly replicas?: number;
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
  readonly #replicas: number | null;
  readonly #connecting: WriterOptions;
  readonly #changes: TopicWriter;
  readonly #progress: TopicWriter;
  #attempt = 0;
  #told = '[]';

  constructor(options: ChangeSinkOptions) {
    this.#region = options.region;
    this.#retentionMs = options.retentionMs ?? weekMs;
    this.#replicas = options.replicas ?? null;
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
      const plan = await connection.answered(this.#createAbsent(admin, partitionCount));
      const names = topicsOf(plan).map(({ topic }) => topic);
      const { topics } = await connection.answered(admin.fetchTopicMetadata({ topics: names }));
      const changes = changesTopic(this.#region);
      const found = topics.find(({ name }) => name === changes)?.partitions.length ?? 0;
      requireCount(changes, found, partitionCount);
      this.#changes.expect(partitionCount);
      this.#tellReplicas(topics, plan.replicas);
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

  async #createAbsent(admin: Admin, partitionCount: number): Promise<TopicPlan> {
    await admin.connect();
    const present = new Set(await admin.listTopics());
    const { brokers } = await admin.describeCluster();
    const replicas = this.#replicas ?? replicasFor(brokers.length);
    const plan = { region: this.#region, partitionCount, replicas, retentionMs: this.#retentionMs };
    const absent = topicsOf(plan).filter(({ topic }) => !present.has(topic));
    if (absent.length === 0) return plan;
    if (brokers.length < replicas) throw unavailable(tooFew(replicas, brokers.length));
    // Waiting for leaders, the client gives up where a broker has not heard of the topic yet.
    await admin.createTopics({ topics: absent, waitForLeaders: false, timeout: createTimeoutMs });
    for (const { topic } of absent) await untilServed(admin, topic);
    return plan;
  }

  /** A topic keeps what it was made with, also where more brokers have come since. */
  #tellReplicas(topics: readonly ITopicMetadata[], wanted: number): void {
    const fewer = topics.flatMap(({ name, partitions }) => {
      const short = partitions.find(({ replicas }) => replicas.length < wanted);
      return short === undefined ? [] : [{ topic: name, replicas: short.replicas.length }];
    });
    const told = JSON.stringify(fewer);
    if (told === this.#told) return;
    this.#told = told;
    const text =
      'topics of the log have fewer replicas than they should: give them more with the tools of Kafka';
    if (fewer.length > 0) this.#connecting.logger.warn({ topics: fewer, wanted }, text);
  }
}

function tooFew(wanted: number, up: number): string {
  return `its topics are to have ${wanted} replicas, and ${up} of the brokers are up`;
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
