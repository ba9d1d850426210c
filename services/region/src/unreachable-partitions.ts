/** Partitions of peers' logs that this process cannot read now, while it reads others of the same log. */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { WaitingPartition } from './status.ts';

export class UnreachablePartitions {
  readonly #byOrigin = new Map<RegionId, readonly number[]>();

  get view(): readonly WaitingPartition[] {
    return [...this.#byOrigin].flatMap(([origin, partitions]) =>
      partitions.map((partition): WaitingPartition => ({ origin, partition, cause: 'unreachable' })),
    );
  }

  /** All of the origin's that are so now. */
  note(origin: RegionId, partitions: readonly number[]): void {
    this.#byOrigin.set(origin, partitions);
  }
}
