/**
 * Who the database of a region is, as one of its processes asks and says: the identity guard on the own log, and what a
 * new incarnation learns its past from. A guard may take a database that has lost nothing for another only where its
 * log has lost something, because then it cannot be told from one that did.
 */
import { MemoryControlLog } from '@isthmus/replication/adapters/memory/control-log';
import { MemoryOwnLog } from '@isthmus/replication/adapters/memory/own-log';
import { IdentityGuard } from '@isthmus/replication/identity/identity-guard';
import { PeerEvidence } from '@isthmus/replication/identity/peer-evidence';
import { OwnLogEvidence } from '@isthmus/replication/identity/own-log-evidence';
import { OpenedOwnLog, type OwnSeals, SealedControlLog } from '@isthmus/replication/log/opened-logs';
import type { IncarnationParts } from '@isthmus/replication/identity/relearning';
import type { ChangeSink } from '@isthmus/replication/ports/change-sink';
import type { ControlLog } from '@isthmus/replication/ports/control-log';
import type { FeedSubscription } from '@isthmus/replication/ports/change-feed';
import type { Adoption, IdentityStore, Lineage } from '@isthmus/replication/ports/identity-store';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { PeerMemory } from '@isthmus/replication/ports/peer-memory';
import type { LogSpan, OwnLogSource } from '@isthmus/replication/ports/own-log';
import type { SimChangeFeed } from './sim-kafka.ts';
import { logReadKind } from './sim-kafka.ts';
import type { SimPostgres, SimRecordStore } from './sim-postgres.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';
import { SimIncarnations } from './sim-transfer.ts';

export interface IdentityParts {
  readonly region: SimRegion;
  readonly postgres: SimPostgres;
  readonly process: SimProcess;
  readonly records: SimRecordStore;
  readonly feed: SimChangeFeed;
  readonly sink: ChangeSink;
  readonly seals: OwnSeals;
  /** What peers remember of the region. */
  readonly memory: PeerMemory;
  /** Peers that are gone for good. */
  readonly closed: () => readonly RegionId[];
  readonly newNonce: () => number;
  readonly logger: Logger;
  readonly onRefused: (reason: string) => void;
  readonly onAdopted: (claim: Incarnation) => void;
}

type LogParts = Pick<IdentityParts, 'region' | 'process' | 'feed' | 'logger'>;

export function incarnationParts(parts: IdentityParts): IncarnationParts {
  return {
    store: new SimIncarnations(parts.postgres),
    past: new SimPast(parts),
    ownLog: parts.region.isLogInside ? null : new OpenedOwnLog(new SimOwnLog(parts), parts.seals),
    control: new SealedControlLog(new SimControlLog(parts), parts.seals),
  };
}

export function guardIdentity(parts: IdentityParts): IdentityGuard {
  const { region, postgres, process, records, sink, newNonce, logger, onRefused } = parts;
  const { id, partitionCount } = region;
  const { timer } = process;
  const self = { region: id, incarnation: postgres.incarnation, partitionCount };
  const past = new SimPast(parts);
  const prepareLog = () => sink.prepare(partitionCount);
  const log = new OpenedOwnLog(new SimOwnLog(parts), parts.seals);
  const control = new SealedControlLog(new SimControlLog(parts), parts.seals);
  const { memory, closed } = parts;
  const isLearning = async () => (await new SimIncarnations(postgres).relearning()) !== null;
  const shared = { self, peers: region.peers, closed, memory, past, timer, logger };
  const evidence = region.isLogInside
    ? new PeerEvidence(shared)
    : new OwnLogEvidence({ ...shared, control, records, log, prepareLog, isLearning });
  return new IdentityGuard({
    self,
    past,
    evidence,
    control,
    newNonce,
    timer,
    logger,
    onRefused,
    onProven: () => undefined,
  });
}

export class SimPast implements IdentityStore {
  readonly #postgres: SimPostgres;
  readonly #onAdopted: IdentityParts['onAdopted'];

  constructor({ postgres, onAdopted }: Pick<IdentityParts, 'postgres' | 'onAdopted'>) {
    this.#postgres = postgres;
    this.#onAdopted = onAdopted;
  }

  get #inner() {
    return this.#postgres.past;
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

  insertLsn() {
    return this.#postgres.read('end of the write-ahead log', () => this.#inner.insertLsn());
  }

  recoveredTo() {
    return this.#postgres.read('end of what was recovered', () => this.#inner.recoveredTo());
  }

  beats(from: number, to: number) {
    return this.#postgres.read('beats', () => this.#inner.beats(from, to));
  }

  prove(lineage: Lineage) {
    return this.#postgres.read('prove', () => this.#inner.prove(lineage));
  }

  hold(...how: Parameters<IdentityStore['hold']>) {
    return this.#postgres.read('hold', () => this.#inner.hold(...how));
  }

  accept() {
    return this.#postgres.read('accept', () => this.#inner.accept());
  }

  claim() {
    return this.#postgres.read('claim', () => this.#inner.claim());
  }

  noteClaim(claim: Incarnation) {
    return this.#postgres.read('note claim', () => this.#inner.noteClaim(claim));
  }

  adopt(adoption: Adoption) {
    return this.#postgres.read('adopt', async () => {
      const before = this.#postgres.region.identity.incarnation;
      await this.#inner.adopt(adoption);
      if (before.counter !== adoption.claim.counter) this.#onAdopted(adoption.claim);
    });
  }
}

export class SimControlLog implements ControlLog {
  readonly #inner: MemoryControlLog;
  readonly #parts: LogParts;

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.#inner = new MemoryControlLog(parts.region.log);
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#ask('claim in the log', () => this.#inner.append(bytes));
  }

  read(counts?: (bytes: Uint8Array) => boolean): Promise<readonly Uint8Array[]> {
    return this.#ask('claims of the log', () => this.#inner.read(counts));
  }

  async close(): Promise<void> {}

  /** A log inside a database makes what it keeps claims in where it was set back to before it had that. */
  #ask<T>(name: string, ask: () => Promise<T>): Promise<T> {
    const { process, region } = this.#parts;
    const work = async (): Promise<T> => {
      if (region.isLogInside) region.log.create('control', 1);
      return ask();
    };
    return process.call({ server: region.kafka, kind: logReadKind, name, work });
  }
}

export class SimOwnLog implements OwnLogSource {
  readonly #inner: MemoryOwnLog;
  readonly #parts: LogParts;

  constructor(parts: LogParts) {
    const { region, logger } = parts;
    this.#parts = parts;
    this.#inner = new MemoryOwnLog({ region: region.id, log: region.log, logger });
  }

  spans(partitionCount: number): Promise<readonly LogSpan[]> {
    return this.#ask('spans', () => this.#inner.spans(partitionCount));
  }

  newestProgress(counts: (bytes: Uint8Array) => boolean): Promise<Uint8Array | null> {
    return this.#ask('newest progress', () => this.#inner.newestProgress(counts));
  }

  subscribe(offsets: readonly bigint[]): FeedSubscription {
    return this.#parts.feed.subscribe(this.#parts.region.id, offsets);
  }

  tail(): FeedSubscription {
    return this.#parts.feed.subscribeTail(this.#parts.region.id, 'changes', () => this.#inner.tail());
  }

  claims(): FeedSubscription {
    return this.#parts.feed.subscribeTail(this.#parts.region.id, 'control', () => this.#inner.claims());
  }

  #ask<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { process, region } = this.#parts;
    return process.call({ server: region.kafka, kind: logReadKind, name, work });
  }
}
