/** Joins what watches for incidents: only the process that replicates writes them down, for all of its region. */
import { IncidentWatch, type IncidentWatchOptions } from '@isthmus/replication/links/incident-watch';
import type { LinkWatch } from '@isthmus/replication/links/link-watch';
import type { Incarnation } from '@isthmus/replication/ports/identity';
import type { Replicator } from '@isthmus/replication/replicator';
import type { VerifiedSweeps } from './verified-sweeps.ts';

type Stores = Pick<IncidentWatchOptions, 'agenda' | 'beats' | 'clock' | 'incidents' | 'timer' | 'logger'>;

interface IncidentGround extends Stores {
  readonly identity: { readonly incarnation: Incarnation; readonly partitionCount: number };
}

interface IncidentSources {
  readonly links: LinkWatch;
  readonly replicator: Replicator | null;
  readonly sweeps: VerifiedSweeps;
}

export function watchIncidents(ground: IncidentGround, sources: IncidentSources): IncidentWatch {
  const { identity, agenda, beats, clock, incidents, timer, logger } = ground;
  const { links, replicator, sweeps } = sources;
  return new IncidentWatch({
    incarnation: identity.incarnation,
    partitionCount: identity.partitionCount,
    links: () => links.links,
    isActive: () => replicator !== null && replicator.relayState !== 'standby',
    agenda,
    incidents,
    beats,
    sweeps,
    clock,
    timer,
    logger,
  });
}
