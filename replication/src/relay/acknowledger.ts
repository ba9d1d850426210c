/**
 * Tells the write-ahead log how far it may forget. Only the end of a beat is ever confirmed, only after the own log
 * holds that beat in all partitions, and only after the beat's count is durable in the database (I2, P2), so that a
 * restart counts on exactly and no first interval begins beyond a partition's last end. Storing runs beside
 * publishing; beats that arrive meanwhile are stored together.
 */
import type { BeatStore } from '../ports/beat-store.ts';
import type { CountedBeat, Lsn } from '../ports/change.ts';

export class Acknowledger {
  readonly #store: Pick<BeatStore, 'storePublished'>;
  readonly #confirm: (end: Lsn) => void;
  readonly #onFailure: (reason: unknown) => void;
  #waiting: CountedBeat[] = [];
  #storing: Promise<void> | null = null;

  constructor(
    store: Pick<BeatStore, 'storePublished'>,
    confirm: (end: Lsn) => void,
    onFailure: (reason: unknown) => void,
  ) {
    this.#store = store;
    this.#confirm = confirm;
    this.#onFailure = onFailure;
  }

  /** The own log holds these beats in all partitions. */
  published(beats: readonly CountedBeat[]): void {
    if (beats.length === 0) return;
    for (const beat of beats) this.#waiting.push(beat);
    this.#storing ??= this.#storeAll();
  }

  /** Resolves when everything published so far has been stored and confirmed, or has failed. */
  async settle(): Promise<void> {
    await this.#storing;
  }

  async #storeAll(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#storeOnce(this.#waiting.splice(0));
    } catch (reason) {
      this.#onFailure(reason);
    } finally {
      this.#storing = null;
    }
  }

  async #storeOnce(beats: readonly CountedBeat[]): Promise<void> {
    const newest = beats.at(-1);
    if (newest === undefined) return;
    await this.#store.storePublished(beats);
    this.#confirm(newest.end);
  }
}
