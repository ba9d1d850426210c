/** The region's own log in memory, to write: held to the same contract as the one over Kafka. */
import { ReplicationError } from '../../errors.ts';
import type { ChangeSink, OutgoingRecord } from '../../ports/change-sink.ts';
import type { MemoryLog } from './log.ts';

export class MemoryChangeSink implements ChangeSink {
  readonly #log: MemoryLog;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  async prepare(partitionCount: number): Promise<void> {
    this.#log.create('changes', partitionCount);
    this.#log.create('progress', 1);
    this.#log.create('control', 1);
    const found = this.#log.partitions('changes')?.length ?? 0;
    if (found === partitionCount) return;
    const detail = `the topic has ${found} partitions and not ${partitionCount}`;
    throw new ReplicationError('partition-count-mismatch', detail, { retriable: false });
  }

  async publish(records: readonly OutgoingRecord[]): Promise<void> {
    this.#log.append('changes', records);
  }

  async publishProgress(bytes: Uint8Array): Promise<void> {
    this.#log.append('progress', [{ partition: 0, bytes }]);
  }

  async close(): Promise<void> {}
}
