/**
 * One process of a region with the shipped engine in it, joined as the region's `main.ts` joins it: journal,
 * replicator, link watch, figures, and the readings of the clock. It opens its database however long that takes. What
 * it would export is judged whenever it has read its figures.
 */
import { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { MemoryClock } from '@isthmus/replication/adapters/memory/clock';
import { ReplicationError } from '@isthmus/replication/errors';
import { Joining } from '@isthmus/replication/guard/joining';
import { type Guard, type Verdict as GuardVerdict } from '@isthmus/replication/guard/write-guard';
import { GuardWatch } from '@isthmus/replication/guard/guard-watch';
import type { IdentityGuard } from '@isthmus/replication/identity/identity-guard';
import { Journal } from '@isthmus/replication/journal/journal';
import { OpenedFeed, type OwnSeals } from '@isthmus/replication/log/opened-logs';
import { SealedSink } from '@isthmus/replication/log/sealed-sink';
import { LinkWatch } from '@isthmus/replication/links/link-watch';
import { actorOf, type Incarnation, type RegionId } from '@isthmus/replication/ports/identity';
import type { Incident } from '@isthmus/replication/ports/incident-store';
import type { Logger } from '@isthmus/replication/ports/logger';
import { FigureReader } from '@isthmus/replication/progress/figures';
import { beatIntervalMs } from '@isthmus/replication/progress/beat-interval';
import { Replicator } from '@isthmus/replication/replicator';
import { Donor } from '@isthmus/replication/transfer/donor';
import type { SessionDesk } from '@isthmus/replication/sessions/session-desk';
import { Ticker } from '@isthmus/replication/ticker';
import { type Collected } from '@isthmus/replication/tombstones/collector';
import { Purge } from '@isthmus/replication/tombstones/collecting';
import type { Oracle } from './oracle.ts';
import { collection } from './workload.ts';
import type { IncidentJudge } from './judge-incidents.ts';
import { guardIdentity, type IdentityParts, incarnationParts } from './sim-identity.ts';
import { watchIncidents } from './sim-incidents.ts';
import { SimJoiningStore } from './sim-joining.ts';
import { SimChangeFeed, SimChangeSink } from './sim-kafka.ts';
import { SimAgendaStore } from './sim-agenda.ts';
import { pointTold } from './point-told.ts';
import { SimBeatStore } from './sim-beats.ts';
import { SimDeadLetters, SimPostgres, SimRecordStore, SimRoleLock } from './sim-postgres.ts';
import { type Asking, SimPeerClient } from './sim-peer-client.ts';
import { SimProcess } from './sim-process.ts';
import type { SimSeals } from './sim-seals.ts';
import type { SimRegion } from './sim-region.ts';
import { sessionDesk } from './sim-sessions.ts';
import { type RetirementWorld, SimRetiring } from './sim-retirement.ts';
import { SimChangeSource } from './sim-source.ts';
import { SimWishes } from './sim-wishes.ts';
import { SimTombstoneStore } from './sim-tombstones.ts';
import {
  SimSlotKeeper,
  SimTransferJobs,
  SimTransferPeer,
  SimTransferStore,
  SimVerifications,
  type TransferWorld,
} from './sim-transfer.ts';

const maxWaitingEdits = 20_000;
/** Of a process that has little time to spare. */
const paceMs = (): number => 8;
const maxDriftMs = 60_000;
const calibrateIntervalMs = 1000;
const refreshIntervalMs = 1000;
const figuresTimeoutMs = 2000;
const openRetryMs = 500;
const followIntervalMs = 200;

export interface NodeWorld extends TransferWorld, RetirementWorld {
  /** How long ago data of the caller last moved anything here; `null`: nobody can tell. */
  readonly dataAgeMs: (region: RegionId, caller: RegionId) => number | null;
  readonly oracle: Oracle;
  readonly seen: (point: string) => void;
  readonly seals: SimSeals;
  readonly incidents: Pick<IncidentJudge, 'stored' | 'dropped'>;
  /** Whether some process of the region answers on the admin listener. */
  readonly isServed: (region: RegionId) => boolean;
  readonly onAsked: (asking: Asking) => void;
  readonly judge: (node: SimNode) => void;
  /** The region's database is held not to continue its own past. */
  readonly onRefused: (region: SimRegion, reason: string) => void;
  readonly onAdopted: (region: SimRegion, claim: Incarnation) => void;
  /** It has ended in order, because the database is another incarnation than the one that it was opened as. */
  readonly reopen: (node: SimNode) => void;
  readonly isGuarded: boolean;
  /** Whether a region may be retired. */
  readonly isRetiring: boolean;
  /** Whether a region may be drained, or filled anew. */
  readonly isOperated: boolean;
  /** Connections for local writes are ended. */
  readonly onCut: (region: SimRegion) => void;
  /** Of the collection that clients write to, in every region. */
  readonly guard: Guard;
}

export class SimNode {
  readonly region: SimRegion;
  readonly process: SimProcess;
  readonly clock: MemoryClock;
  readonly records: SimRecordStore;
  readonly journal: Journal;
  readonly replicator: Replicator;
  readonly links: LinkWatch;
  readonly figures: FigureReader;
  readonly feed: SimChangeFeed;
  readonly donor: Donor;
  readonly sessions: SessionDesk;
  readonly keeper: IdentityGuard;
  /** `null` where nobody is ever retired. */
  readonly retiring: SimRetiring | null;
  /** `null` where no operator asks anything of a region. */
  readonly wishes: SimWishes | null;
  #isOpen = false;
  /** What it has started, each with how it ends. */
  #running: readonly (() => Promise<void>)[] = [];
  #snapshots = 0;
  readonly #agenda: AgendaWatch;
  readonly #guards: GuardWatch;
  readonly #joining: Joining;
  readonly #beats: SimBeatStore;
  readonly #postgres: SimPostgres;
  readonly #world: NodeWorld;

  constructor(region: SimRegion, name: string, world: NodeWorld) {
    const process = new SimProcess(name, world);
    const postgres = new SimPostgres(region, process, world);
    const { timer } = process;
    const { peers } = region;
    const identity = { ...region.identity, incarnation: postgres.incarnation };
    this.region = region;
    this.process = process;
    this.#postgres = postgres;
    this.#world = world;
    this.clock = new MemoryClock(timer);
    this.records = new SimRecordStore(postgres, world.oracle);
    this.feed = new SimChangeFeed(region.id, process, world);
    this.#beats = new SimBeatStore(postgres, world.oracle);
    const beats = this.#beats;
    const { clock, records, feed } = this;
    this.journal = new Journal({
      store: records,
      clock,
      actor: actorOf(identity.region, identity.incarnation),
      timer,
      maxWaitingEdits,
      paceMs,
      onBatch: ({ callers }) => (callers > 1 ? world.seen('writes batched') : undefined),
    });
    this.figures = new FigureReader({
      peers,
      partitionCount: identity.partitionCount,
      beats,
      records,
      timer,
      timeoutMs: figuresTimeoutMs,
    });
    const client = new SimPeerClient({ region, process, world, incarnation: identity.incarnation });
    const { partitionCount } = identity;
    this.links = new LinkWatch({ peers, beats, partitionCount, client, timer, beatIntervalMs });
    const guards = new Map([[collection, world.guard]]);
    this.#guards = new GuardWatch({ region: region.id, peers, guards, beats, clock, timer });
    const logger = this.#logger();
    const agenda = new AgendaWatch({ store: new SimAgendaStore(postgres), timer, logger });
    this.#agenda = agenda;
    const retiring = { agenda, region, process, postgres, world, logger };
    this.retiring = world.isRetiring ? new SimRetiring(retiring) : null;
    const joining = {
      peers,
      partitionCount,
      store: new SimJoiningStore(postgres),
      client,
      beats,
      timer,
      logger,
    };
    this.#joining = new Joining({ ...joining, closed: () => this.retiring?.closed ?? [] });
    const store = new SimTransferStore(postgres, world.oracle);
    const newName = (): string => `${name}-${this.#snapshots++}`;
    this.donor = new Donor({ self: identity, store, timer, logger: this.#logger(), newName });
    this.sessions = sessionDesk(postgres, identity, timer);
    const seals = this.#seals();
    const sink = new SealedSink(new SimChangeSink(region, process, postgres.past), seals.sealer);
    const memory = client;
    const closed = () => this.retiring?.closed ?? [];
    const self: IdentityParts = {
      region,
      postgres,
      process,
      records,
      feed,
      sink,
      seals,
      memory,
      closed,
      ...this.#alarm(),
    };
    this.keeper = guardIdentity(self);
    const peer = new SimTransferPeer(region.id, process, world);
    const { keeper } = this;
    const asked = { ...self, agenda, keeper, identity, peer, store, onCut: () => world.onCut(region) };
    this.wishes = world.isOperated ? new SimWishes({ ...asked, isRetired: () => false }) : null;
    this.replicator = new Replicator({
      identity,
      peers,
      records,
      beats,
      deadLetters: new SimDeadLetters(postgres),
      transfer: {
        store,
        jobs: new SimTransferJobs(postgres),
        verifications: new SimVerifications(postgres),
        peer,
        slots: new SimSlotKeeper(postgres),
      },
      incarnations: incarnationParts(self),
      tombstones: { store: new SimTombstoneStore(postgres), purge: new Purge(null) },
      agenda,
      source: new SimChangeSource(postgres),
      sink,
      feed: new OpenedFeed(feed, seals),
      lock: new SimRoleLock(postgres),
      clock,
      timer,
      paceMs,
      maxDriftMs,
      logger: this.#logger(),
      events: this.#events(),
    });
  }

  get isOpen(): boolean {
    return this.#isOpen && this.process.life === 'running';
  }

  start(): void {
    void this.#open();
  }

  async #open(): Promise<void> {
    while (!this.#isOpen) {
      try {
        await this.#calibrate();
        await this.retiring?.look();
        await this.wishes?.look();
        await this.#joining.look();
        this.#isOpen = true;
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        await new Promise<void>((resolve) => void this.process.timer.after(openRetryMs, resolve));
      }
    }
    this.#startParts();
  }

  #startParts(): void {
    const { timer } = this.process;
    const calibration = new Ticker({
      timer,
      intervalMs: calibrateIntervalMs,
      run: () => this.#recalibrate(),
    });
    const refreshing = new Ticker({ timer, intervalMs: refreshIntervalMs, run: () => this.#refresh() });
    const incidents = this.#incidents();
    const { links, keeper, replicator } = this;
    const tickers = [this.#agenda, calibration, refreshing, links, incidents, this.#guards, this.#joining];
    const rare = [this.retiring, this.wishes].filter((part) => part !== null);
    const parts = [...tickers, ...rare];
    for (const part of [...parts, replicator]) part.start();
    this.#running = [() => replicator.close(), ...parts.map((part) => () => part.stop())];
    if (!this.#world.isGuarded) return;
    keeper.start();
    const following = new Ticker({ timer, intervalMs: followIntervalMs, run: () => this.#follow() });
    following.start();
  }

  /** A database that is another incarnation has to be opened again as that, once everything here has ended. */
  async #follow(): Promise<void> {
    const isRenewed = this.keeper.state.kind === 'renewed' || this.#postgres.past.standing === 'renewed';
    if (!isRenewed || !this.#isOpen) return;
    this.#isOpen = false;
    await this.journal.close();
    await Promise.all([this.keeper.stop(), ...this.#running.map((stop) => stop())]);
    this.#world.reopen(this);
  }

  /** What the guard of the collection says of a write now. */
  judgeWrite(): GuardVerdict {
    return this.#guards.judge(collection);
  }

  /** Whom writes wait for. */
  get waitsFor(): readonly RegionId[] {
    return this.#joining.waitsFor;
  }

  #alarm() {
    const { region } = this;
    const { onRefused, onAdopted, random } = this.#world;
    return {
      logger: this.#logger(),
      newNonce: () => random.int(2 ** 32),
      onRefused: (reason: string) => onRefused(region, reason),
      onAdopted: (claim: Incarnation) => onAdopted(region, claim),
    };
  }

  #seals(): OwnSeals {
    const { id: region, clock } = this.region;
    const { seals, seen } = this.#world;
    return {
      region,
      sealer: seals.sealer({ region, key: 0 }),
      opener: seals.opener(() => clock.nowMs()),
      onRefused: ({ topic }) => seen(`forged record dropped: ${topic}`),
    };
  }

  #incidents() {
    const { process, links, replicator, clock } = this;
    const { seen, incidents } = this.#world;
    const { id } = this.region;
    const onStored = (incident: Incident): void => incidents.stored(id, incident.number, incident);
    const onDropped = (incident: Incident): void => incidents.dropped(id, incident);
    const parts = {
      agenda: this.#agenda,
      process,
      links,
      replicator,
      clock,
      seen,
      onStored,
      onDropped,
      logger: this.#logger(),
    };
    return watchIncidents({ ...parts, postgres: this.#postgres, beats: this.#beats });
  }

  #calibrate(): Promise<void> {
    return this.clock.calibrate(() =>
      this.#postgres.read('clock', () => Promise.resolve(this.region.clock.nowMs())),
    );
  }

  async #recalibrate(): Promise<void> {
    try {
      await this.#calibrate();
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
    }
  }

  async #refresh(): Promise<void> {
    const { isCurrent } = await this.figures.read();
    if (isCurrent) this.#world.judge(this);
  }

  #logger(): Logger {
    const { trace, seen } = this.#world;
    const note = (fields: object, message: string): void => {
      trace.note(this.process.name, message);
      trace.tell(this.process.name, () => detailsOf(fields));
      const point = pointTold[message];
      if (point !== undefined) seen(point);
    };
    return { debug: note, info: note, warn: note, error: note };
  }

  #events() {
    const { seen, trace } = this.#world;
    const { name } = this.process;
    return {
      onApplied: ({ conflicts }: { readonly conflicts: readonly unknown[] }) => {
        if (conflicts.length > 0) seen('conflict resolved');
      },
      onGap: (origin: RegionId, partition: number, cause: string) => {
        seen(`gap seen: ${cause}`);
        trace.tell(name, () => `gap of ${origin}/${partition}: ${cause}`);
      },
      onFenced: () => seen('fenced applier noticed'),
      onVisible: () => undefined,
      onRefused: () => seen('record refused'),
      onSlotLost: () => seen('slot lost'),
      onTransfer: (_: RegionId, cause: string) => seen(`transfer: ${cause}`),
      onCollected: ({ dropped, purged }: Collected) => {
        if (dropped > 0) seen('tombstone dropped');
        if (purged > 0) seen('tombstone purged');
      },
      onPublished: () => undefined,
    };
  }
}

/** Of a log line, for whoever reads a trace. */
function detailsOf(fields: object): string {
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value instanceof Error ? value.message : String(value)}`)
    .join(', ');
}
