/** The claims of a region's incarnations in a log in memory: held to the same contract as the one over Kafka. */
import type { ControlLog } from '../../ports/control-log.ts';
import { type MemoryLog, unavailable } from './log.ts';

export class MemoryControlLog implements ControlLog {
  readonly #log: MemoryLog;

  constructor(log: MemoryLog) {
    this.#log = log;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#log.append('control', [{ partition: 0, bytes }]);
  }

  async read(counts: (bytes: Uint8Array) => boolean = () => true): Promise<readonly Uint8Array[]> {
    const partition = this.#log.partitions('control')?.[0];
    if (partition === undefined) throw unavailable('the control topic does not answer');
    const held = partition.read(partition.begin, Number.MAX_SAFE_INTEGER).map(({ bytes }) => bytes);
    return held.filter((bytes) => counts(bytes));
  }

  async close(): Promise<void> {}
}
