/**
 * What the parts of a region are made of, once its database is open: the stores behind their ports, the configuration,
 * and what every part looks at. It holds no adapter by name, so what is built on it can be built on any.
 */
import type { Draining } from '@isthmus/replication/guard/draining';
import type { Joining } from '@isthmus/replication/guard/joining';
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { DeadLetterStore } from '@isthmus/replication/ports/dead-letter-store';
import type { DrainStore } from '@isthmus/replication/ports/drain-store';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { IncidentStore } from '@isthmus/replication/ports/incident-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { RefillStore } from '@isthmus/replication/ports/refill-store';
import type { RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { SessionStore } from '@isthmus/replication/ports/session-store';
import type { SlotHealth } from '@isthmus/replication/ports/slot-health';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { TombstoneStore } from '@isthmus/replication/ports/tombstone-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import type { FigureReader } from '@isthmus/replication/progress/figures';
import type { Self } from '@isthmus/replication/reach';
import type { AgendaWatch } from '@isthmus/replication/agenda-watch';
import type { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { PoolFigures } from './metrics.ts';
import type { HttpPeerClient } from './peer-client.ts';
import type { RecordType } from './records/record-type.ts';

export interface Stores {
  readonly identity: Self;
  readonly records: RecordStore;
  readonly beats: BeatStore;
  readonly deadLetters: DeadLetterStore;
  readonly incidents: IncidentStore;
  readonly past: IdentityStore;
  readonly incarnations: IncarnationStore;
  readonly drains: DrainStore;
  readonly refills: RefillStore;
  readonly sessions: SessionStore;
  readonly transfers: TransferStore;
  readonly jobs: TransferJobs;
  readonly verifications: VerificationStore;
  readonly tombstones: TombstoneStore;
  readonly retirements: RetirementStore;
  readonly clock: Clock;
  readonly poolUse: () => PoolFigures;
  readonly slotHealth: () => Promise<SlotHealth>;
}

export interface Ground {
  readonly config: Config;
  readonly log: Logger;
  readonly timer: Timer;
  readonly database: Stores;
  readonly peers: readonly RegionId[];
  readonly collections: ReadonlyMap<string, RecordType>;
  readonly figures: FigureReader;
  readonly client: HttpPeerClient;
  readonly agenda: AgendaWatch;
  readonly retirement: OwnRetirement;
  readonly agreeing: Agreeing;
  readonly joining: Joining;
  readonly draining: Draining;
}
