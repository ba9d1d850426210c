/**
 * One region's replicating process, joined: beats, the relay, an applier for every peer, progress told and heard.
 * One such process per region is active, by a lock that only avoids waste; others stand by and take over within
 * seconds. Losing the lock ends everything that was started under it.
 */
import type { AgendaWatch } from './agenda-watch.ts';
import { Applier, type ApplierEvents } from './applier/applier.ts';
import type { AppliedReport } from './applier/lane.ts';
import type { Opening } from './applier/partition-queue.ts';
import { DeadLetterRelease } from './applier/dead-letter-retry.ts';
import type { Reading } from './applier/reading.ts';
import { backoffMs, pause } from './backoff.ts';
import { ReplicationError } from './errors.ts';
import { keepHouse } from './housekeeping.ts';
import type { ProgressMessage } from './log/progress-record.ts';
import { MarkPass } from './mark-pass.ts';
import { orNextTurn } from './next-turn.ts';
import {
  type IncarnationParts,
  type PastReader,
  Relearner,
  type RelearnerOptions,
} from './identity/relearning.ts';
import type { BeatStore } from './ports/beat-store.ts';
import type { ChangeFeed } from './ports/change-feed.ts';
import type { ChangeSink } from './ports/change-sink.ts';
import type { ChangeSource } from './ports/change-source.ts';
import type { Clock } from './ports/clock.ts';
import type { DeadLetterStore } from './ports/dead-letter-store.ts';
import type { Incarnation, RegionId } from './ports/identity.ts';
import type { Logger } from './ports/logger.ts';
import type { PositionRow, RecordStore } from './ports/record-store.ts';
import type { HeldLock, RoleLock } from './ports/role-lock.ts';
import type { SlotKeeper } from './ports/slot-keeper.ts';
import type { Timer } from './ports/timer.ts';
import type { TombstoneStore } from './ports/tombstone-store.ts';
import type { TransferJobs } from './ports/transfer-jobs.ts';
import type { TransferPeer } from './ports/transfer-peer.ts';
import type { TransferStore } from './ports/transfer-store.ts';
import type { VerificationStore } from './ports/verification.ts';
import { BeatLoop } from './progress/beat-loop.ts';
import { clockTicker } from './progress/clock-ticker.ts';
import { HeardBeats } from './progress/heard-beats.ts';
import { OwnStores } from './progress/own-stores.ts';
import { ProgressPublisher } from './progress/progress-publisher.ts';
import { ProgressReader } from './progress/progress-reader.ts';
import { Relay } from './relay/relay.ts';
import type { RelayOptions, RelayState } from './relay/relay.ts';
import { Ticker } from './ticker.ts';
import { troubleOf, type TroubleView } from './trouble.ts';
import { Barriers, type BarriersOptions, type BarrierView } from './tombstones/barriers.ts';
import type { Purge } from './tombstones/collecting.ts';
import { Membership } from './tombstones/membership.ts';
import { DamagedRecords } from './transfer/damaged-records.ts';
import { Sweeper } from './transfer/sweeper.ts';
import { ToldVectors } from './transfer/told-vectors.ts';
import { type Need, Transfers, type TransfersOptions } from './transfer/transfers.ts';

const pruneIntervalMs = 60_000;

export interface ReplicatorEvents extends Omit<ApplierEvents, 'onHeard' | 'onOpen'> {
  /** A beat of the origin became visible this long after its commit, told only where the clocks' offset is known. */
  readonly onVisible: (origin: RegionId, afterMs: number) => void;
  readonly onPublished: RelayOptions['onPublished'];
  readonly onSlotLost: RelayOptions['onSlotLost'];
  readonly onTransfer: TransfersOptions['onTransfer'];
  readonly onCollected: BarriersOptions['onCollected'];
}

/** What moves state outside the log (P6). */
export interface TransferParts {
  readonly store: TransferStore;
  readonly jobs: TransferJobs;
  readonly verifications: VerificationStore;
  readonly peer: TransferPeer;
  readonly slots: SlotKeeper;
}

export interface ReplicatorOptions {
  readonly identity: {
    readonly region: RegionId;
    readonly incarnation: Incarnation;
    readonly partitionCount: number;
  };
  readonly peers: readonly RegionId[];
  readonly records: RecordStore;
  readonly beats: BeatStore;
  readonly transfer: TransferParts;
  readonly tombstones: { readonly store: TombstoneStore; readonly purge: Purge };
  readonly deadLetters: DeadLetterStore;
  /** Read by whoever made it, before this starts and as long as it runs. */
  readonly agenda: Pick<AgendaWatch, 'last' | 'turns'>;
  readonly incarnations: IncarnationParts;
  readonly source: ChangeSource;
  readonly sink: ChangeSink;
  readonly feed: ChangeFeed;
  readonly lock: RoleLock;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly paceMs: RelayOptions['paceMs'];
  readonly maxDriftMs: number;
  readonly logger: Logger;
  readonly events: ReplicatorEvents;
}

/** What this process does for one origin; `readings[partition]`. */
export interface OriginStatus {
  readonly origin: RegionId;
  readonly readings: readonly Reading[];
  /** Partitions that wait until there is room for dead letters. */
  readonly lackingRoom: readonly number[];
}

/** What runs while the lock is held. */
interface Active {
  readonly relay: Relay;
  readonly appliers: readonly Applier[];
  readonly relearner: Relearner;
  readonly barriers: Barriers;
  readonly troubles: () => readonly TroubleView[];
  readonly stop: () => Promise<void>;
}

/** What transfers hear from and tell. */
interface TransferMates {
  readonly heardBeats: HeardBeats;
  readonly told: ToldVectors;
  readonly relearner: Relearner;
  readonly membership: Membership;
}

export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #end = new AbortController();
  /** From one time that the lock is held to the next. */
  readonly #ours = new OwnStores();
  #active: Active | null = null;
  #running: Promise<void> | null = null;

  constructor(options: ReplicatorOptions) {
    this.#options = options;
  }

  /** `standby` while another process of the region replicates, or nobody can tell. */
  get relayState(): RelayState {
    return this.#active?.relay.state ?? 'standby';
  }

  /** Empty in standby. */
  get origins(): readonly OriginStatus[] {
    const appliers = this.#active?.appliers ?? [];
    return appliers.map(({ origin, readings, lackingRoom }) => ({ origin, readings, lackingRoom }));
  }

  /** What the region's own writes wait for after it has taken a new incarnation; `null`: nothing known of. */
  get relearning(): Relearner['judgement'] {
    return this.#active?.relearner.judgement ?? null;
  }

  /** `null` in standby, and until the database was read. */
  get barrier(): BarrierView | null {
    return this.#active?.barriers.view ?? null;
  }

  /** What fails now and is tried again; empty in standby. */
  get troubles(): readonly TroubleView[] {
    return this.#active?.troubles() ?? [];
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends every part; what was begun is finished or left to be done again by the next process. */
  async close(): Promise<void> {
    this.#end.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { lock, beats, timer, logger } = this.#options;
    for (let attempt = 0; !this.#end.signal.aborted; attempt++) {
      try {
        const held = await lock.tryAcquire();
        if (held === null) await beats.look();
        else {
          attempt = 0;
          await this.#hold(held);
        }
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        logger.warn({ err: reason }, 'the replicator cannot tell whether it is needed');
      }
      await pause(timer, Math.min(backoffMs(attempt), 500), this.#end.signal);
    }
  }

  async #hold(held: HeldLock): Promise<void> {
    const { logger } = this.#options;
    logger.info({}, 'this process replicates');
    const active = this.#activate();
    this.#active = active;
    const { signal } = this.#end;
    let close = (): void => undefined;
    const closed = new Promise<void>((resolve) => {
      close = resolve;
    });
    if (signal.aborted) close();
    signal.addEventListener('abort', close);
    await Promise.race([held.lost, closed]);
    signal.removeEventListener('abort', close);
    if (!this.#end.signal.aborted) logger.warn({}, 'the lock of the replicator is lost');
    await active.stop();
    this.#active = null;
    await held.release();
  }

  #activate(): Active {
    const { identity, peers, records, beats, source, sink, feed, clock, timer, logger, events, transfer } =
      this.#options;
    const { region, incarnation, partitionCount } = identity;
    const heardBeats = new HeardBeats({ clock, timer });
    const beatLoop = new BeatLoop({ store: beats, timer, logger });
    const { onPublished, onSlotLost } = events;
    const { paceMs } = this.#options;
    const published = { source, sink, beats, slots: transfer.slots, timer, paceMs, logger };
    const relay = new Relay({ identity, ...published, onPublished, onSlotLost });
    // An applier that was closed stays so, and closing it again does nothing.
    const onClosed = (closed: RegionId): void => {
      for (const applier of appliers) if (applier.origin === closed) void applier.close();
    };
    const { agenda } = this.#options;
    const membership = new Membership({ peers, agenda, onClosed });
    const barriers = this.#barriers(membership);
    const hearing = { beats, heardBeats, clock, timer, logger };
    const publishing = { region, incarnation, origins: peers, partitionCount, barriers, sink, relay };
    const publisher = new ProgressPublisher({ ...hearing, ...publishing });
    const told = new ToldVectors(clock);
    const subscriptions = peers.map((peer) => feed.subscribeProgress(peer));
    const readers = subscriptions.map((subscription, index) => {
      const peer = peers[index] ?? region;
      const onTold = (message: ProgressMessage): void => {
        told.note(message);
        barriers.hear(message);
      };
      const self = { region, incarnation, peer };
      return new ProgressReader({ ...hearing, self, subscription, ours: this.#ours, onTold });
    });
    const reading = readers.map((reader) => reader.run());
    const clocks = clockTicker(readers, timer);
    const appliers = peers.map((origin, index) =>
      this.#applier(origin, feed, this.#applierEvents(heardBeats, readers[index])),
    );
    // What is told to peers meanwhile would replace the promise that has to be kept again.
    const onFilled = (): void => {
      for (const applier of appliers) applier.start();
    };
    const onTold = (): void => publisher.start();
    const relearner = this.#relearner(membership, { onFilled, onOpen: onTold, onLearnt: onTold });
    const { transfers, sweeper } = this.#transfers(appliers, { heardBeats, told, relearner, membership });
    const { deadLetters: letters, maxDriftMs } = this.#options;
    const release = new DeadLetterRelease({ agenda, letters, clock, maxDriftMs, logger });
    const pruning = new Ticker({ timer, intervalMs: pruneIntervalMs, run: this.#pruning() });
    const marking = new MarkPass({ records, timer, logger });
    // Of one reading, whoever asks for the membership has its turn after it.
    const helpers = [membership, pruning, release, marking, transfers, sweeper, barriers, relearner];
    for (const part of [beatLoop, relay, ...helpers, clocks]) part.start();
    const stop = async () => {
      await Promise.all([transfers.close(), sweeper.close(), barriers.close(), membership.stop()]);
      await Promise.all([...appliers, relearner].map((part) => part.close()));
      await Promise.all([publisher, pruning, release, marking, clocks].map((part) => part.stop()));
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      await Promise.all(reading);
      await Promise.all([beatLoop.stop(), relay.close()]);
    };
    const troubles = (): readonly TroubleView[] => [
      ...troubleOf('beats', null, beatLoop.failure),
      ...troubleOf('telling', null, publisher.failure),
      ...readers.flatMap(({ state }, index) =>
        troubleOf('hearing', peers[index] ?? null, state.failure ?? state.refusal),
      ),
    ];
    return { relay, appliers, relearner, barriers, troubles, stop };
  }

  #applier(origin: RegionId, feed: Pick<ChangeFeed, 'subscribe'>, events: ApplierEvents): Applier {
    const { identity, records: store, clock, timer, maxDriftMs, logger } = this.#options;
    const { region, partitionCount } = identity;
    // The own past is learnt otherwise than by one transfer.
    const open = (row: PositionRow): Promise<void> =>
      origin === region ? store.createPosition(row) : store.openLife(row);
    const shared = { origin, partitionCount, store, feed, clock, timer, maxDriftMs, logger };
    return new Applier({ ...shared, open, events });
  }

  #applierEvents(heardBeats: HeardBeats, reader: ProgressReader | undefined): ApplierEvents {
    const { events } = this.#options;
    return {
      ...events,
      onHeard: (heard) => heardBeats.note(heard),
      onApplied: (report) => {
        events.onApplied(report);
        this.#tellVisible(report, reader);
      },
      onOpen: (opening) => this.#opens(opening),
    };
  }

  #barriers(membership: Membership): Barriers {
    const { identity: self, records, transfer, tombstones, clock, timer, logger, events } = this.#options;
    const { onCollected } = events;
    const members = () => membership.members();
    const parts = { ...tombstones, records, standing: transfer.store };
    return new Barriers({ self, ...parts, members, clock, timer, logger, onCollected });
  }

  #relearner(
    membership: Membership,
    told: Pick<RelearnerOptions, 'onFilled' | 'onOpen' | 'onLearnt'>,
  ): Relearner {
    const { identity: self, peers, incarnations: parts, transfer, timer, logger } = this.#options;
    const { store: transfers, jobs, peer: donors } = transfer;
    const read: RelearnerOptions['read'] = (feed) => this.#readPast(feed);
    const openPosition: RelearnerOptions['openPosition'] = (row) => this.#options.records.createPosition(row);
    const closed = () => membership.closed();
    const retired = () => membership.retired();
    const prepareLog = () => this.#options.sink.prepare(self.partitionCount);
    const shared = { self, peers, closed, retired, parts, transfers, donors, jobs, timer, logger };
    return new Relearner({ ...shared, prepareLog, read, openPosition, ...told });
  }

  #readPast(feed: Parameters<RelearnerOptions['read']>[0]): PastReader {
    const { identity, events } = this.#options;
    const ignore = () => undefined;
    const onOpen: ApplierEvents['onOpen'] = (opening) => this.#opens(opening);
    const quiet = { onApplied: ignore, onFenced: ignore, onHeard: ignore, onRefused: ignore };
    const applier = this.#applier(identity.region, feed, { ...quiet, onGap: events.onGap, onOpen });
    applier.start();
    return {
      get hasGap() {
        return applier.readings.some(({ kind }) => kind === 'gap');
      },
      recheck: () => applier.recheck(),
      close: () => applier.close(),
    };
  }

  async #opens({ closed }: Opening): Promise<void> {
    if (closed !== null) await this.#options.incarnations.store.close(closed);
  }

  #transfers(appliers: readonly Applier[], { heardBeats, told, relearner, membership }: TransferMates) {
    const { identity, peers, deadLetters, events, agenda, clock, timer, maxDriftMs, logger } = this.#options;
    const { store, jobs, verifications, peer } = this.#options.transfer;
    const closed = () => membership.closed();
    const damaged = new DamagedRecords(identity);
    const shared = { self: identity, peers, agenda, store, jobs, closed, clock, timer, damaged, logger };
    const transfers = new Transfers({
      ...shared,
      retired: () => membership.retired(),
      onlyFrom: () => relearner.donor,
      peer,
      heard: () => heardBeats.all(),
      letters: deadLetters,
      told,
      maxDriftMs,
      gaps: () => appliers.flatMap(needOf),
      onRaised: () => {
        for (const reader of [...appliers, relearner]) reader.recheck();
      },
      onTransfer: events.onTransfer,
    });
    const isRelearning = () => relearner.judgement !== null;
    const sweeper = new Sweeper({ ...shared, donor: peer, verifications, isRelearning });
    return { transfers, sweeper };
  }

  #tellVisible({ origin, beatAtMs }: AppliedReport, reader: ProgressReader | undefined): void {
    const offset = reader?.state.heard?.progress.clockOffset ?? null;
    if (beatAtMs === null || offset === null) return;
    this.#options.events.onVisible(origin, this.#options.clock.nowMs() - beatAtMs - offset.offsetMs);
  }

  #pruning(): () => Promise<void> {
    const { beats, deadLetters: letters, logger } = this.#options;
    return orNextTurn(
      () => keepHouse({ beats, letters }),
      (err) => logger.warn({ err }, 'what is old was not dropped; the next turn does it'),
    );
  }
}

/** What an origin that stands before a gap needs: one transfer brings all of its partitions. */
function needOf({ origin, readings }: Pick<OriginStatus, 'origin' | 'readings'>): readonly Need[] {
  const gap = readings.find((reading) => reading.kind === 'gap');
  if (gap?.kind !== 'gap') return [];
  return [{ origin, cause: gap.cause === 'missing-interval' ? 'gap' : gap.cause }];
}
