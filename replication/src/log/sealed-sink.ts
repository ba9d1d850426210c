/** The own log to write, with everything sealed that goes in (P4): changes, progress and claims. */
import type { ChangeSink, OutgoingRecord } from '../ports/change-sink.ts';
import type { LogSealer } from '../ports/log-seal.ts';

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

  async publishProgress(bytes: Uint8Array): Promise<void> {
    for (const sealed of this.#sealer.seal('progress', [{ partition: 0, bytes }]))
      await this.#inner.publishProgress(sealed.bytes);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
