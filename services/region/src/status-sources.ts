/** Where the status page reads: the parts of the process, and the database within a bounded time. */
import type { Draining } from '@isthmus/replication/guard/draining';
import type { IdentityGuard } from '@isthmus/replication/identity/identity-guard';
import type { LinkWatch } from '@isthmus/replication/links/link-watch';
import type { DeadLetterStore } from '@isthmus/replication/ports/dead-letter-store';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { IncidentStore } from '@isthmus/replication/ports/incident-store';
import type { RefillStore } from '@isthmus/replication/ports/refill-store';
import type { SlotHealth } from '@isthmus/replication/ports/slot-health';
import type { TombstoneStore } from '@isthmus/replication/ports/tombstone-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import type { FigureReader } from '@isthmus/replication/progress/figures';
import type { Replicator } from '@isthmus/replication/replicator';
import type { TroubleView } from '@isthmus/replication/trouble';
import type { RefusedRecords } from './refused-records.ts';
import { type Status, gapsOf, statusOf, waitingOf } from './status.ts';
import { readTombstones } from './tombstones.ts';
import type { UnreachablePartitions } from './unreachable-partitions.ts';
import { version } from './version.ts';
import { within } from './within.ts';

interface StatusGround {
  readonly config: { readonly region: RegionId };
  readonly peers: readonly RegionId[];
  readonly collections: ReadonlyMap<string, unknown>;
  readonly figures: FigureReader;
  readonly draining: Pick<Draining, 'isDrained'>;
  readonly database: {
    readonly identity: { readonly incarnation: Incarnation };
    readonly clock: Clock;
    readonly verifications: Pick<VerificationStore, 'all'>;
    readonly jobs: Pick<TransferJobs, 'open'>;
    readonly deadLetters: Pick<DeadLetterStore, 'fates' | 'countClosed'>;
    readonly incidents: Pick<IncidentStore, 'open'>;
    readonly tombstones: Pick<TombstoneStore, 'countDead' | 'barrier'>;
    readonly refills: Pick<RefillStore, 'find'>;
    readonly slotHealth: () => Promise<SlotHealth>;
  };
}

interface StatusSources {
  readonly isReady: () => Promise<boolean>;
  readonly links: LinkWatch;
  readonly replicator: Replicator | null;
  readonly guard: IdentityGuard | null;
  readonly refused: RefusedRecords;
  readonly unreachable: Pick<UnreachablePartitions, 'view'>;
  readonly troubles: () => readonly TroubleView[];
}

const timeoutMs = 2000;

export function readStatus(
  { config, database, peers, collections, figures, draining }: StatusGround,
  { isReady, links, replicator, guard, refused, unreachable, troubles }: StatusSources,
): Promise<Status> {
  return statusOf({
    region: config.region,
    incarnation: database.identity.incarnation,
    version,
    peers,
    collections: [...collections.keys()],
    figures,
    clock: database.clock,
    identity: guard?.state ?? null,
    relearning: replicator?.relearning ?? null,
    drained: draining.isDrained,
    refill: () => within(timeoutMs, database.refills.find()),
    ready: isReady,
    links: () => links.links,
    refused: refused.view,
    gaps: () => replicator?.origins.flatMap(gapsOf) ?? null,
    verifications: () => within(timeoutMs, database.verifications.all()),
    transfers: () => within(timeoutMs, database.jobs.open()),
    fates: () => within(timeoutMs, database.deadLetters.fates()),
    closedLetters: () => within(timeoutMs, database.deadLetters.countClosed()),
    waiting: () => replicator && [...replicator.origins.flatMap(waitingOf), ...unreachable.view],
    troubles: troubles(),
    incidents: () => within(timeoutMs, database.incidents.open()),
    tombstones: () => within(timeoutMs, readTombstones(database.tombstones)),
    barrier: () => replicator?.barrier ?? null,
    slot: () => within(timeoutMs, database.slotHealth()),
  });
}
