/** A real Kafka with sinks and feeds over it. */
import { startKafka } from '@isthmus/local/kafka';
import type { Kafka } from '@isthmus/local/kafka';
import { type ChangeFeedOptions, KafkaChangeFeed } from '@isthmus/replication/adapters/kafka/change-feed';
import { KafkaChangeSink } from '@isthmus/replication/adapters/kafka/change-sink';
import type { KafkaCluster } from '@isthmus/replication/adapters/kafka/kafka-connection';
import { assert } from '@isthmus/replication/errors';
import type { ChangeFeed } from '@isthmus/replication/ports/change-feed';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import kafkajs from 'kafkajs';
import type { Admin } from 'kafkajs';
import { changesTopic } from '@isthmus/replication/adapters/kafka/topics';
import { expect, vi } from 'vitest';
import type { LogBench } from './change-sink-feed.contract.ts';

const stallTimeoutMs = 2_000;

export class KafkaBench implements LogBench {
  /** The stall time, a look at the clock, and an attempt to connect that was under way. */
  readonly silenceNoticedMs = 2 * stallTimeoutMs;
  readonly isOverSockets = true;
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly cluster: KafkaCluster;
  readonly warnings: string[] = [];
  readonly #logger: Logger;
  #regionCount = 0;

  private constructor(kafka: Kafka, admin: Admin) {
    this.kafka = kafka;
    this.admin = admin;
    this.cluster = { brokers: [kafka.brokers] };
    const ignore = (): void => undefined;
    const note = (_: unknown, message: string): void => void this.warnings.push(message);
    this.#logger = { debug: ignore, info: ignore, warn: note, error: note };
  }

  static async open(): Promise<KafkaBench> {
    const kafka = await startKafka();
    const client = new kafkajs.Kafka({ brokers: [kafka.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    return new KafkaBench(kafka, admin);
  }

  async newRegion(): Promise<RegionId> {
    this.#regionCount++;
    const region = parseRegionId(`region-${this.#regionCount}`);
    assert(region !== null, 'a bench names its regions well');
    return region;
  }

  sinkOf(region: RegionId, cluster = this.cluster): ChangeSink {
    return new KafkaChangeSink({ region, cluster, logger: this.#logger, stallTimeoutMs });
  }

  feedOf(
    region: RegionId,
    options: {
      readonly maxUnreadBytes?: number;
      readonly cluster?: KafkaCluster;
      readonly onArrived?: ChangeFeedOptions['onArrived'] & {};
    } = {},
  ): ChangeFeed {
    const { cluster = this.cluster, ...limits } = options;
    const clusters = new Map([[region, cluster]]);
    return new KafkaChangeFeed({ region, clusters, logger: this.#logger, stallTimeoutMs, ...limits });
  }

  async forget(region: RegionId): Promise<void> {
    const topic = changesTopic(region);
    const offsets = await this.admin.fetchTopicOffsets(topic);
    const partitions = offsets.map(({ partition, high }) => ({ partition, offset: high }));
    await this.admin.deleteTopicRecords({ topic, partitions });
  }

  async dropChanges(region: RegionId): Promise<void> {
    const topic = changesTopic(region);
    await this.admin.deleteTopics({ topics: [topic] });
    await vi.waitFor(async () => expect(await this.admin.listTopics()).not.toContain(topic), {
      timeout: 20_000,
      interval: 20,
    });
  }

  restart(): Promise<void> {
    return this.kafka.restart();
  }

  async killAndRestart(): Promise<void> {
    await this.kafka.kill('SIGKILL');
    await this.kafka.restart();
  }

  freeze(): Promise<void> {
    return this.kafka.kill('SIGSTOP');
  }

  thaw(): Promise<void> {
    return this.kafka.kill('SIGCONT');
  }

  async close(): Promise<void> {
    await this.admin.disconnect();
    await this.kafka.stop();
  }
}
