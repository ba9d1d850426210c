/** How many records are dead, and how the barriers stand (P8), read from the database for status and metrics. */
import type { BarrierRow, TombstoneStore } from '@isthmus/replication/ports/tombstone-store';

export interface Tombstones {
  readonly count: number;
  readonly barrier: BarrierRow;
}

export async function readTombstones(
  store: Pick<TombstoneStore, 'countDead' | 'barrier'>,
): Promise<Tombstones> {
  const [count, barrier] = await Promise.all([store.countDead(), store.barrier()]);
  return { count, barrier };
}

/** For how long the open barrier has been open; `null`: none is. */
export function openMs({ open, openedAtMs, readAtMs }: BarrierRow): number | null {
  return open === null || openedAtMs === null ? null : Math.max(0, readAtMs - openedAtMs);
}
