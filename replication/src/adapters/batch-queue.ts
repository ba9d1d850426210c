/**
 * What was fetched and not yet read, bounded in bytes: who fills it asks for room first, so that it exceeds its limit
 * by no more than what was on its way. First in, first out; one reader.
 */
import { assert } from '../errors.ts';
import type { FeedBatch, FeedRecord } from '../ports/change-feed.ts';

export class BatchQueue {
  readonly #maxBytes: number;
  #batches: FeedBatch[] = [];
  #sizeBytes = 0;
  #closed = false;
  #reader: ((batch: FeedBatch | null) => void) | null = null;
  #waiting: (() => void)[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(batch: FeedBatch): void {
    if (this.#closed) return;
    const reader = this.#reader;
    this.#reader = null;
    if (reader !== null) return reader(batch);
    this.#batches.push(batch);
    this.#sizeBytes += sizeOf(batch);
  }

  /** Waits for a batch; `null` once closed. */
  async take(): Promise<FeedBatch | null> {
    assert(this.#reader === null, 'a subscription has one reader');
    if (this.#closed) return null;
    const batch = this.#batches.shift();
    if (batch === undefined)
      return new Promise((resolve) => {
        this.#reader = resolve;
      });
    this.#remove(sizeOf(batch));
    return batch;
  }

  /** Forgets what is unread of one partition. */
  drop(partition: number): void {
    const dropped = this.#batches.filter((batch) => batch.partition === partition);
    this.#batches = this.#batches.filter((batch) => batch.partition !== partition);
    this.#remove(dropped.reduce((sum, batch) => sum + sizeOf(batch), 0));
  }

  /** Resolves when more may be fetched, or once closed. */
  async room(): Promise<void> {
    while (this.#sizeBytes >= this.#maxBytes && !this.#closed)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
  }

  close(): void {
    this.#closed = true;
    this.#batches = [];
    this.#remove(this.#sizeBytes);
    this.#reader?.(null);
    this.#reader = null;
  }

  #remove(sizeBytes: number): void {
    this.#sizeBytes -= sizeBytes;
    if (this.#sizeBytes >= this.#maxBytes) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }
}

/**
 * What one fetch brings out of the compressed bytes that it is bounded by; who reads stops where it is reached, and the rest
 * comes with the next fetch. Many times what changes of ours give.
 */
export const enoughBytes = 32 * 1024 * 1024;

/** Two objects and a number. */
const recordOverheadBytes = 256;

/** What a record takes in memory. */
export function keptBytes({ bytes }: Pick<FeedRecord, 'bytes'>): number {
  return bytes.length + recordOverheadBytes;
}

function sizeOf(batch: FeedBatch): number {
  return batch.records.reduce((sum, record) => sum + keptBytes(record), 0);
}
