/**
 * What was asked of a region and is looked at again and again: the words of operators and peers, and what was begun and
 * has not ended. All of it lies in small tables of the region's database, so one reading serves everybody who looks.
 * Each part is of one moment, and not all are of the same: `drained` is no older than `refill`, the others come as they
 * may. Whoever acts on it finds out in the database whether it still holds.
 */
import type { Drained } from './drain-store.ts';
import type { RegionId } from './identity.ts';
import type { Incident } from './incident-store.ts';
import type { Refill } from './refill-store.ts';
import type { Retirement } from './retirement-store.ts';
import type { TransferJob } from './transfer-jobs.ts';
import type { Verification } from './verification.ts';

export interface Agenda {
  /** As `RefillStore.find` gives it. */
  readonly refill: Refill | null;
  /** As `DrainStore.find` gives it. */
  readonly drained: Drained | null;
  /** As `RetirementStore.all` gives it. */
  readonly retired: readonly Retirement[];
  /** As `TransferJobs.open` gives it. */
  readonly jobs: readonly TransferJob[];
  /** As `VerificationStore.all` gives it. */
  readonly verifications: readonly Verification[];
  /** As `IncidentStore.open` gives it. */
  readonly incidents: readonly Incident[];
  readonly letters: LetterAgenda;
  /** Of which the past is awaited (`RecordStore.openLife`), in order. */
  readonly awaited: readonly RegionId[];
}

/** Whether dead letters are to be looked at. There may be many, so they are read only where there is something to find. */
export interface LetterAgenda {
  /** `DeadLetterStore.fates` has something to tell. */
  readonly hasFates: boolean;
  /** Of the open ones that have a stamp; `null`: there is none. */
  readonly leastStampMs: number | null;
}

export interface AgendaStore {
  /**
   * A part that cannot be read is as it was last read; where it never was, or where nothing can be read, this rejects with
   * what the database rejects with.
   */
  read(): Promise<Agenda>;
}
