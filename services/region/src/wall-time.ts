/** Reads the region's clock for those who can do without it: `null` before the database's clock was read. */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Clock } from '@isthmus/replication/ports/clock';

export function wallMs(clock: Clock): number | null {
  try {
    return clock.nowMs();
  } catch (error) {
    if (error instanceof ReplicationError && error.code === 'clock-unknown') return null;
    throw error;
  }
}
