/**
 * How far the log of a region holds each of its partitions, by what was really appended: all of it up to there, without a
 * hole. The engine never sees it.
 */
import { logRecordOrNull } from '@isthmus/replication/log/log-record';
import type { Lsn } from '@isthmus/replication/ports/change';
import type { OutgoingRecord } from '@isthmus/replication/ports/change-sink';
import { type Incarnation, type RegionId, sameIncarnation } from '@isthmus/replication/ports/identity';
import type { SimSeals } from './sim-seals.ts';

interface Reach {
  readonly incarnation: Incarnation;
  readonly to: Lsn;
}

export class LogReach {
  readonly #region: RegionId;
  readonly #seals: SimSeals;
  readonly #reach = new Map<number, Reach>();

  constructor(region: RegionId, seals: SimSeals) {
    this.#region = region;
    this.#seals = seals;
  }

  /** The log holds these now. */
  took(records: readonly OutgoingRecord[]): void {
    for (const { partition, bytes } of records) {
      const body = this.#seals.bodyOf({ region: this.#region, topic: 'changes', partition }, bytes);
      const record = logRecordOrNull(body);
      if (record?.kind !== 'changes') continue;
      const { incarnation, from, to } = record;
      const held = this.to(incarnation, partition) ?? from;
      if (from <= held && to > held) this.#reach.set(partition, { incarnation, to });
    }
  }

  /** `null`: nothing of that life. */
  to(incarnation: Incarnation, partition: number): Lsn | null {
    const reach = this.#reach.get(partition);
    return reach !== undefined && sameIncarnation(reach.incarnation, incarnation) ? reach.to : null;
  }
}
