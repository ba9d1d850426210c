/**
 * What the parts of a region are made of, once its database is open: the stores behind their ports, the configuration,
 * and what every part looks at. It holds no adapter by name, so what is built on it can be built on any.
 */
import type { Draining } from '@isthmus/replication/guard/draining';
import type { Joining } from '@isthmus/replication/guard/joining';
import type { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { SlotHealth } from '@isthmus/replication/ports/slot-health';
import type { Stores } from '@isthmus/replication/ports/stores';
import type { Timer } from '@isthmus/replication/ports/timer';
import type { FigureReader } from '@isthmus/replication/progress/figures';
import type { Self } from '@isthmus/replication/reach';
import type { AgendaWatch } from '@isthmus/replication/agenda-watch';
import type { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import type { PoolFigures } from './metrics.ts';
import type { HttpPeerClient } from './peer-client.ts';
import type { RecordType } from './records/record-type.ts';

interface GroundDatabase extends Stores {
  readonly identity: Self;
  readonly clock: Clock;
  readonly poolUse: () => PoolFigures;
  readonly slotHealth: () => Promise<SlotHealth>;
}

export interface Ground {
  readonly config: Config;
  readonly log: Logger;
  readonly timer: Timer;
  readonly database: GroundDatabase;
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
