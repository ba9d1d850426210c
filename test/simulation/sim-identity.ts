/**
 * The identity guard of a process, on its own region's log, and the operator who is called when it refuses. A guard may
 * refuse a database that has lost nothing only where its log has, because then it cannot be told from one that did.
 */
import { MemoryControlLog } from '@isthmus/replication/adapters/memory/control-log';
import { MemoryOwnLog } from '@isthmus/replication/adapters/memory/own-log';
import { ReplicationError } from '@isthmus/replication/errors';
import { IdentityGuard } from '@isthmus/replication/identity/identity-guard';
import { OwnLogEvidence } from '@isthmus/replication/identity/own-log-evidence';
import type { FeedSubscription } from '@isthmus/replication/ports/change-feed';
import type { IdentityStore, Lineage } from '@isthmus/replication/ports/identity-store';
import type { Incarnation } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { LogSpan, OwnLog } from '@isthmus/replication/ports/own-log';
import type { SimChangeFeed, SimChangeSink } from './sim-kafka.ts';
import { logReadKind } from './sim-kafka.ts';
import type { SimPostgres, SimRecordStore } from './sim-postgres.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';

export interface IdentityParts {
  readonly region: SimRegion;
  readonly postgres: SimPostgres;
  readonly process: SimProcess;
  readonly records: SimRecordStore;
  readonly feed: SimChangeFeed;
  readonly sink: SimChangeSink;
  readonly logger: Logger;
  readonly onRefused: (reason: string) => void;
}

export function guardIdentity(parts: IdentityParts): IdentityGuard {
  const { region, postgres, process, records, sink, logger, onRefused } = parts;
  const { identity: self } = region;
  const past = new SimPast(postgres);
  const { timer } = process;
  const prepareLog = () => sink.prepare(self.partitionCount);
  const log = new SimOwnLog(parts);
  return new IdentityGuard({
    self,
    past,
    evidence: new OwnLogEvidence({ self, past, records, log, prepareLog, timer, logger }),
    control: new MemoryControlLog(region.log),
    newNonce: () => self.incarnation.nonce + 1,
    timer,
    logger,
    onRefused,
  });
}

/** Regions of this world keep their incarnation: a database that would become another is held for the operator. */
class SimPast implements IdentityStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner() {
    return this.#postgres.region.past;
  }

  /** What the newest connection found: none can be opened while the server is down. */
  get standing() {
    return this.#inner.standing;
  }

  continuity() {
    return this.#postgres.read('continuity', () => this.#inner.continuity());
  }

  newestBeat() {
    return this.#postgres.read('newest beat', () => this.#inner.newestBeat());
  }

  beats(from: number, to: number) {
    return this.#postgres.read('beats', () => this.#inner.beats(from, to));
  }

  prove(lineage: Lineage) {
    return this.#postgres.read('prove', () => this.#inner.prove(lineage));
  }

  hold(reason: string) {
    return this.#postgres.read('hold', () => this.#inner.hold(reason));
  }

  accept() {
    return this.#postgres.read('accept', () => this.#inner.accept());
  }

  async claim() {
    return null;
  }

  async noteClaim(): Promise<Incarnation> {
    await this.hold('the database is not its own past');
    throw new ReplicationError('identity-mismatch', 'no other incarnation is taken here', {
      retriable: false,
    });
  }

  async adopt(): Promise<void> {
    throw new ReplicationError('identity-mismatch', 'no other incarnation is taken here', {
      retriable: false,
    });
  }
}

class SimOwnLog implements OwnLog {
  readonly #inner: MemoryOwnLog;
  readonly #parts: IdentityParts;

  constructor(parts: IdentityParts) {
    const { region, logger } = parts;
    this.#parts = parts;
    this.#inner = new MemoryOwnLog({ region: region.id, log: region.log, logger });
  }

  spans(): Promise<readonly LogSpan[]> {
    return this.#ask('spans', () => this.#inner.spans());
  }

  newestProgress(): Promise<Uint8Array | null> {
    return this.#ask('newest progress', () => this.#inner.newestProgress());
  }

  subscribe(offsets: readonly bigint[]): FeedSubscription {
    return this.#parts.feed.subscribe(this.#parts.region.id, offsets);
  }

  tail(): FeedSubscription {
    return this.#parts.feed.subscribeTail(this.#parts.region.id, () => this.#inner.tail());
  }

  #ask<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { process, region } = this.#parts;
    return process.call({ server: region.kafka, kind: logReadKind, name, work });
  }
}
