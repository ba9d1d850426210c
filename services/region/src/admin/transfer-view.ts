/** A transfer as operators read it. */
import type { TransferCause, TransferJob, TransferState } from '@isthmus/replication/ports/transfer-jobs';

export interface TransferView {
  readonly id: number;
  /** Read from this region. */
  readonly donor: string;
  /** Whose changes were missing. */
  readonly origin: string;
  readonly cause: TransferCause;
  readonly dryRun: boolean;
  readonly state: TransferState;
  readonly wantedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** Records compared so far, found different, merged with effect, and refused. */
  readonly examined: number;
  readonly differing: number;
  readonly merged: number;
  readonly refused: number;
  /** Of states received. */
  readonly bytes: number;
  /** Why it waits or failed. */
  readonly detail: string;
}

export function transferView(job: TransferJob): TransferView {
  const { id, donor, origin, cause, isDryRun, state, place, detail } = job;
  return {
    id,
    donor,
    origin,
    cause,
    dryRun: isDryRun,
    state,
    wantedAt: rfc3339(job.wantedAtMs),
    startedAt: job.startedAtMs === null ? null : rfc3339(job.startedAtMs),
    endedAt: job.endedAtMs === null ? null : rfc3339(job.endedAtMs),
    ...place.counts,
    detail,
  };
}

function rfc3339(atMs: number): string {
  return new Date(atMs).toISOString();
}
