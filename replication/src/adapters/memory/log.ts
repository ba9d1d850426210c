/**
 * One region's log in memory: topics of partitions, each a run of records with offsets that grow by one. It keeps a
 * bounded number of bytes for each partition and drops the oldest. Everything that can go wrong with a real log can be
 * done to it: it can stop, lose its beginning or its end, or be deleted and made again, and readers see what readers
 * of Kafka see. What was appended is durable.
 */
import { AssertionFailure, ReplicationError } from '../../errors.ts';
import type { FeedRecord } from '../../ports/change-feed.ts';

export type TopicName = 'changes' | 'progress' | 'control';

/** `topic`: only this one has more; `null`: anything may have changed. */
export type Wake = (topic: TopicName | null) => void;

export interface MemoryLogOptions {
  /** For each partition. */
  readonly retentionBytes?: number;
}

const defaultRetentionBytes = 64 * 1024 * 1024;

export class MemoryPartition {
  readonly #retentionBytes: number;
  #records: Uint8Array[] = [];
  #begin = 0n;
  #byteCount = 0;

  constructor(retentionBytes: number) {
    this.#retentionBytes = retentionBytes;
  }

  /** Offset of the oldest record. */
  get begin(): bigint {
    return this.#begin;
  }

  /** Offset of the next record. */
  get end(): bigint {
    return this.#begin + BigInt(this.#records.length);
  }

  append(bytes: Uint8Array): void {
    this.#records.push(bytes);
    this.#byteCount += bytes.length;
    while (this.#byteCount > this.#retentionBytes && this.#records.length > 1)
      this.dropBefore(this.#begin + 1n);
  }

  /** From an offset between beginning and end; at least one record where there is any. */
  read(offset: bigint, maxBytes: number): readonly FeedRecord[] {
    if (offset < this.#begin || offset > this.end)
      throw new AssertionFailure(`nothing can lie at the offset ${offset}`);
    const records: FeedRecord[] = [];
    let byteCount = 0;
    for (let index = Number(offset - this.#begin); index < this.#records.length; index++) {
      const bytes = this.#records[index];
      if (bytes === undefined || (records.length > 0 && byteCount + bytes.length > maxBytes)) break;
      byteCount += bytes.length;
      records.push({ offset: this.#begin + BigInt(index), bytes });
    }
    return records;
  }

  dropBefore(offset: bigint): void {
    const count = Math.min(this.#records.length, Math.max(0, Number(offset - this.#begin)));
    for (const bytes of this.#records.splice(0, count)) this.#byteCount -= bytes.length;
    this.#begin += BigInt(count);
  }

  copy(): () => MemoryPartition {
    const [records, begin, byteCount] = [[...this.#records], this.#begin, this.#byteCount];
    return () => {
      const copied = new MemoryPartition(this.#retentionBytes);
      [copied.#records, copied.#begin, copied.#byteCount] = [[...records], begin, byteCount];
      return copied;
    };
  }

  /** What a leader that lagged behind does to the log: the newest records are gone, their offsets will be used again. */
  dropNewest(count: number): void {
    const kept = Math.max(0, this.#records.length - count);
    for (const bytes of this.#records.splice(kept)) this.#byteCount -= bytes.length;
  }
}

export class MemoryLog {
  readonly #retentionBytes: number;
  readonly #topics = new Map<TopicName, readonly MemoryPartition[]>();
  #isRunning = true;
  readonly #readers = new Set<Wake>();

  constructor({ retentionBytes }: MemoryLogOptions = {}) {
    this.#retentionBytes = retentionBytes ?? defaultRetentionBytes;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** `null` where the topic is absent or the log does not answer. */
  partitions(topic: TopicName): readonly MemoryPartition[] | null {
    return this.#isRunning ? (this.#topics.get(topic) ?? null) : null;
  }

  create(topic: TopicName, partitionCount: number): void {
    this.#requireRunning();
    if (this.#topics.has(topic)) return;
    const partitions = Array.from(
      { length: partitionCount },
      () => new MemoryPartition(this.#retentionBytes),
    );
    this.#topics.set(topic, partitions);
    this.#wake();
  }

  delete(topic: TopicName): void {
    this.#topics.delete(topic);
  }

  append(
    topic: TopicName,
    records: readonly { readonly partition: number; readonly bytes: Uint8Array }[],
  ): void {
    this.#requireRunning();
    const partitions = this.#topics.get(topic);
    if (partitions === undefined) throw unavailable(`the topic ${topic} does not exist`);
    for (const { partition, bytes } of records) partitions[partition]?.append(bytes);
    this.#wake(topic);
  }

  /** Nobody is answered until it starts again; what it holds stays. */
  stop(): void {
    this.#isRunning = false;
    this.#wake();
  }

  start(): void {
    this.#isRunning = true;
    this.#wake();
  }

  /** Of a log that lies in a database; the returned function puts it back, as often as it is called. */
  copy(): () => void {
    const kept = [...this.#topics].map(([topic, partitions]) => {
      return [topic, partitions.map((partition) => partition.copy())] as const;
    });
    return () => {
      this.#topics.clear();
      for (const [topic, partitions] of kept)
        this.#topics.set(
          topic,
          partitions.map((copy) => copy()),
        );
      this.#wake();
    };
  }

  /** Calls `wake` whenever something has changed; the returned function takes that back. */
  watch(wake: Wake): () => void {
    this.#readers.add(wake);
    return () => this.#readers.delete(wake);
  }

  #requireRunning(): void {
    if (!this.#isRunning) throw unavailable('the log does not answer');
  }

  #wake(topic: TopicName | null = null): void {
    for (const wake of Array.from(this.#readers)) wake(topic);
  }
}

export function unavailable(message: string): ReplicationError {
  return new ReplicationError('log-unavailable', message, { retriable: true });
}
