/** A real Kafka with sinks and feeds over it, and a count of the bytes that sockets to it have carried. */
import { subscribe as listen, unsubscribe } from 'node:diagnostics_channel';
import { Socket } from 'node:net';
import { startKafka } from '@isthmus/local/kafka';
import type { Kafka } from '@isthmus/local/kafka';
import { KafkaChangeFeed } from '@isthmus/replication/adapters/kafka/change-feed';
import { KafkaChangeSink } from '@isthmus/replication/adapters/kafka/change-sink';
import type { KafkaCluster } from '@isthmus/replication/adapters/kafka/kafka-connection';
import { assert } from '@isthmus/replication/errors';
import type { ChangeFeed } from '@isthmus/replication/ports/change-feed';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { LogBench } from './change-sink-feed.contract.ts';

const stallTimeoutMs = 2_000;

export class KafkaBench implements LogBench {
  /** The stall time, a look at the clock, and an attempt to connect that was under way. */
  readonly silenceNoticedMs = 2 * stallTimeoutMs;
  readonly kafka: Kafka;
  readonly cluster: KafkaCluster;
  readonly warnings: string[] = [];
  readonly #logger: Logger;
  #regionCount = 0;

  private constructor(kafka: Kafka) {
    this.kafka = kafka;
    this.cluster = { brokers: [kafka.brokers] };
    const ignore = (): void => undefined;
    const note = (_: unknown, message: string): void => void this.warnings.push(message);
    this.#logger = { debug: ignore, info: ignore, warn: note, error: note };
  }

  static async open(): Promise<KafkaBench> {
    return new KafkaBench(await startKafka());
  }

  newRegion(): RegionId {
    this.#regionCount++;
    const region = parseRegionId(`region-${this.#regionCount}`);
    assert(region !== null, 'a bench names its regions well');
    return region;
  }

  sinkOf(region: RegionId, cluster = this.cluster): ChangeSink {
    return new KafkaChangeSink({ region, cluster, logger: this.#logger, stallTimeoutMs });
  }

  feedOf(region: RegionId, options: { maxUnreadBytes?: number; cluster?: KafkaCluster } = {}): ChangeFeed {
    const { cluster = this.cluster, ...limits } = options;
    const clusters = new Map([[region, cluster]]);
    return new KafkaChangeFeed({ region, clusters, logger: this.#logger, stallTimeoutMs, ...limits });
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

  close(): Promise<void> {
    return this.kafka.stop();
  }
}

/** Counts what passes through every socket that this process opens until `close`; goes on counting those after it. */
export class SocketCount {
  readonly #sockets: Socket[] = [];
  readonly #notice = (message: unknown): void => {
    const socket =
      typeof message === 'object' && message !== null && 'socket' in message ? message.socket : null;
    if (socket instanceof Socket) this.#sockets.push(socket);
  };

  constructor() {
    listen('net.client.socket', this.#notice);
  }

  get bytesRead(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesRead, 0);
  }

  get bytesWritten(): number {
    return this.#sockets.reduce((sum, socket) => sum + socket.bytesWritten, 0);
  }

  close(): void {
    unsubscribe('net.client.socket', this.#notice);
  }
}
