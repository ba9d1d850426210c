/** The own log to write, with everything sealed that goes in (P4): changes, progress and claims. */
import type { ChangeSink, OutgoingRecord } from '../ports/change-sink.ts';
import type { LogSealer, LogTopic } from '../ports/log-seal.ts';
import { assert } from '../errors.ts';

/** What goes into a topic of one partition. */
export function sealedAlone(sealer: LogSealer, topic: LogTopic, bytes: Uint8Array): Uint8Array {
  const [sealed] = sealer.seal(topic, [{ partition: 0, bytes }]);
  assert(sealed !== undefined, 'a record is sealed');
  return sealed.bytes;
}

export class SealedSink implements ChangeSink {
  readonly #inner: ChangeSink;
  readonly #sealer: LogSealer;

  constructor(inner: ChangeSink, sealer: LogSealer) {
    this.#inner = inner;
    this.#sealer = sealer;
  }

  prepare(partitionCount: number): Promise<void> {
    return this.#inner.prepare(partitionCount);
  }

  publish(records: readonly OutgoingRecord[]): Promise<void> {
    return this.#inner.publish(this.#sealer.seal('changes', records));
  }

  publishProgress(bytes: Uint8Array): Promise<void> {
    return this.#inner.publishProgress(sealedAlone(this.#sealer, 'progress', bytes));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
