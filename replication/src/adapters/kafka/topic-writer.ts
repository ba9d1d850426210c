/**
 * Appends to one topic of the region's own log. An append resolves only when every in-sync replica holds all of its
 * records; when it fails, the client is thrown away and the next append builds a new one with fresh metadata, so a
 * moved leader, a restarted broker and a silent one are all left in the same way. It never retries by itself: who
 * calls knows what still matters. Large appends are compressed, because bytes between regions cost money.
 */
import kafkajs from 'kafkajs';
import type { Producer } from 'kafkajs';
import { assert } from '../../errors.ts';
import type { OutgoingRecord } from '../../ports/change-sink.ts';
import { KafkaConnection, unavailable } from './kafka-connection.ts';
import type { KafkaConnectionOptions } from './kafka-connection.ts';
import { maxRecordBytes } from './topics.ts';

export type WriterOptions = Omit<KafkaConnectionOptions, 'attempt'>;

interface Client {
  readonly connection: KafkaConnection;
  readonly producer: Producer;
}

const { CompressionTypes, Partitioners } = kafkajs;

const acksOfAllReplicas = -1;
const acknowledgeTimeoutMs = 5_000;
const compressFromBytes = 1_024;

export class TopicWriter {
  readonly #topic: string;
  readonly #options: WriterOptions;
  #client: Promise<Client> | null = null;
  #attempt = 0;
  #closed = false;

  constructor(topic: string, options: WriterOptions) {
    this.#topic = topic;
    this.#options = options;
  }

  /** Rejects with `log-unavailable`; then some, all or none of the records may be held. */
  async append(records: readonly OutgoingRecord[]): Promise<void> {
    assert(!this.#closed, 'nothing is appended after close');
    const messages = records.map(({ partition, bytes }) => ({
      partition,
      key: null,
      value: asBuffer(bytes),
    }));
    const sizeBytes = records.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const client = (this.#client ??= this.#connect());
    try {
      const { connection, producer } = await client;
      const sent = producer.send({
        topic: this.#topic,
        acks: acksOfAllReplicas,
        timeout: acknowledgeTimeoutMs,
        compression: sizeBytes < compressFromBytes ? CompressionTypes.None : CompressionTypes.GZIP,
        messages,
      });
      await connection.answered(sent);
    } catch (error) {
      this.#discard(client);
      throw unavailable(error);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#client = null;
    if (client !== null) await destroy(client);
  }

  async #connect(): Promise<Client> {
    const connection = new KafkaConnection({
      ...this.#options,
      attempt: this.#attempt++,
    });
    const producer = connection.kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    try {
      await connection.answered(producer.connect());
    } catch (error) {
      connection.destroy();
      throw error;
    }
    return { connection, producer };
  }

  #discard(client: Promise<Client>): void {
    if (this.#client === client) this.#client = null;
    void destroy(client);
  }
}

async function destroy(client: Promise<Client>): Promise<void> {
  const [settled] = await Promise.allSettled([client]);
  if (settled.status === 'fulfilled') settled.value.connection.destroy();
}

function asBuffer(bytes: Uint8Array): Buffer {
  assert(bytes.length <= maxRecordBytes, `a log record of ${bytes.length} bytes, at most ${maxRecordBytes}`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
