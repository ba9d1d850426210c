/**
 * What the admin listener of a region serves, joined from its parts: what each route may read and do, and nothing more.
 */
import type { IdentityGuard } from '@isthmus/replication/identity/identity-guard';
import type { LinkWatch } from '@isthmus/replication/links/link-watch';
import type { OwnLog } from '@isthmus/replication/ports/own-log';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import type { Replicator } from '@isthmus/replication/replicator';
import type { Donor } from '@isthmus/replication/transfer/donor';
import type { TroubleView } from '@isthmus/replication/trouble';
import type { AdminParts } from './admin/admin-listener.ts';
import type { ApiParts } from './api/api-parts.ts';
import type { Ground } from './ground.ts';
import type { RegionMetrics } from './metrics.ts';
import { answerEcho } from './peer-client.ts';
import type { RefusedRecords } from './refused-records.ts';
import { readStatus } from './status-sources.ts';
import type { UnreachablePartitions } from './unreachable-partitions.ts';

export interface RunningParts extends Pick<ApiParts, 'guards' | 'journal' | 'writers'> {
  readonly isReady: () => Promise<boolean>;
  readonly links: LinkWatch;
  readonly metrics: RegionMetrics;
  readonly donor: Donor;
  readonly replicator: Replicator | null;
  readonly troubles: () => readonly TroubleView[];
  readonly keeper: IdentityGuard | null;
  readonly transferPeer: TransferPeer;
  readonly digester: AdminParts['digester'];
  readonly ownChanges: Pick<OwnLog, 'subscribe'>;
  readonly refused: RefusedRecords;
  readonly unreachable: UnreachablePartitions;
  readonly maxDriftMs: number;
}

export function adminPartsOf(ground: Ground, parts: RunningParts): AdminParts {
  const { config, timer, database, collections, peers, client, retirement, joining, draining } = ground;
  const { identity, past, records, beats, clock } = database;
  const { journal, guards, writers, digester, transferPeer, donor } = parts;
  const { isReady, links, metrics, replicator, keeper, troubles, refused, unreachable } = parts;
  const identityAdmin = {
    self: identity,
    past,
    guard: keeper,
    incarnations: database.incarnations,
    relearning: () => replicator?.relearning ?? null,
    retirement,
    joining,
  };
  const { transfers: store, incarnations } = database;
  const surveyed = { self: identity, peers, peer: transferPeer, store, incarnations };
  return {
    region: config.region,
    peers,
    partitionCount: database.identity.partitionCount,
    clock,
    incidents: database.incidents,
    deadLetters: database.deadLetters,
    retrying: { letters: database.deadLetters, clock, maxDriftMs: parts.maxDriftMs },
    collections,
    store: records,
    journal,
    guards,
    digester,
    transfers: transfersOf(ground, donor),
    identity: identityAdmin,
    whole: {
      ...surveyed,
      identity: identityAdmin,
      past,
      beats,
      closed: () => retirement.closed,
      draining,
      drains: database.drains,
      refills: database.refills,
      timer,
    },
    retirement: retirementOf(ground),
    rights: {
      self: identity,
      incarnations: database.incarnations,
      transfers: database.transfers,
      retirements: database.retirements,
      writers,
      peers,
      peer: transferPeer,
      timer,
    },
    unreplicated: {
      ...surveyed,
      retirement,
      drains: database.drains,
      log: parts.ownChanges,
      witness: client,
      beats,
      timer,
    },
    status: () =>
      readStatus(ground, { isReady, links, replicator, guard: keeper, refused, unreachable, troubles }),
    metrics: () => metrics.scrape(),
    echo: (caller) => answerEcho({ ...database.identity, peers, beats, links }, caller),
  };
}

function transfersOf({ config, database, peers }: Ground, donor: Donor): AdminParts['transfers'] {
  const { jobs, verifications } = database;
  return { donor, jobs, verifications, peers, secret: config.peerSecret };
}

function retirementOf({ config, database, peers, agreeing, retirement }: Ground): AdminParts['retirement'] {
  const { retirements, incarnations } = database;
  return { self: config.region, peers, retirements, incarnations, agreeing, retirement };
}
