/** What a peer that is asked answers from: its beats, what it has heard, and how far it has applied what. */
import type { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import type { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import type { CountedBeat, Lsn } from '@isthmus/replication/ports/change';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import { expect } from 'vitest';

export class AskedPeer {
  readonly incarnation: Incarnation;
  readonly #beats: MemoryBeatStore;
  readonly #records: MemoryRecordStore;
  readonly #fail: () => void;

  /** `fail`: its database answers nothing but failures from then on. */
  constructor(
    incarnation: Incarnation,
    stores: { readonly beats: MemoryBeatStore; readonly records: MemoryRecordStore },
    fail: () => void,
  ) {
    this.incarnation = incarnation;
    this.#beats = stores.beats;
    this.#records = stores.records;
    this.#fail = fail;
  }

  beatOf(number: number): CountedBeat {
    return { number, lsn: 2n ** 63n + BigInt(number), atMs: number + 0.5, count: null, end: 2n ** 63n + 99n };
  }

  async hear(origin: RegionId, incarnation: Incarnation, number: number): Promise<void> {
    await this.#beats.storeHeard([{ origin, incarnation, beat: this.beatOf(number), receivedAtMs: 1 }]);
  }

  async apply(
    origin: RegionId,
    incarnation: Incarnation,
    { partition, applied }: { readonly partition: number; readonly applied: Lsn },
  ): Promise<void> {
    const row = { origin, incarnation, partition, applied, settled: applied, beat: null, nextOffset: 0n };
    await this.#records.createPosition(row);
  }

  /** Of its own. */
  async beat(): Promise<void> {
    const hold = (await this.#beats.tryHold()) ?? expect.fail('nobody else beats');
    await hold.beat();
    await hold.release();
  }

  /** Its newest beat was counted, with so many changes before it. */
  async count(changes: number): Promise<void> {
    const { newest } = (await this.#beats.overview()).own;
    if (newest === null) return expect.fail('there is a beat');
    await this.#beats.storePublished([{ ...newest, end: newest.lsn + 1n, count: changes }]);
  }

  fail(): void {
    this.#fail();
  }
}
