/**
 * What a region keeps in its database, each store behind the port that is its contract. All of them lie on one database,
 * so that what the one has committed the others see.
 */
import type { AgendaStore } from './agenda-store.ts';
import type { BeatStore } from './beat-store.ts';
import type { DeadLetterStore } from './dead-letter-store.ts';
import type { DrainStore } from './drain-store.ts';
import type { IdentityStore } from './identity-store.ts';
import type { IncarnationStore } from './incarnation-store.ts';
import type { IncidentStore } from './incident-store.ts';
import type { JoiningStore } from './joining-store.ts';
import type { RecordStore } from './record-store.ts';
import type { RefillStore } from './refill-store.ts';
import type { RetirementStore } from './retirement-store.ts';
import type { SessionStore } from './session-store.ts';
import type { TombstoneStore } from './tombstone-store.ts';
import type { TransferJobs } from './transfer-jobs.ts';
import type { TransferStore } from './transfer-store.ts';
import type { VerificationStore } from './verification.ts';

export interface Stores {
  readonly records: RecordStore;
  readonly beats: BeatStore;
  readonly deadLetters: DeadLetterStore;
  readonly incidents: IncidentStore;
  readonly past: IdentityStore;
  readonly incarnations: IncarnationStore;
  readonly joining: JoiningStore;
  readonly drains: DrainStore;
  readonly refills: RefillStore;
  readonly sessions: SessionStore;
  readonly transfers: TransferStore;
  readonly jobs: TransferJobs;
  readonly verifications: VerificationStore;
  readonly tombstones: TombstoneStore;
  readonly retirements: RetirementStore;
  readonly agenda: AgendaStore;
}
