/**
 * What transfers work on, as one process reaches it: the tables of its own database, and the donors of its peers
 * across the links. A donor answers from a process that can die between two questions, and its snapshot with it.
 */
import { type MemoryDonor, MemoryTransferPeer } from '@isthmus/replication/adapters/memory/transfer-peer';
import { ReplicationError } from '@isthmus/replication/errors';
import type { Lsn, RecordId } from '@isthmus/replication/ports/change';
import type { Life, RegionId } from '@isthmus/replication/ports/identity';
import type {
  HashedRecords,
  NextRange,
  RangeDigest,
  RecordRange,
} from '@isthmus/replication/ports/record-reader';
import type { IncarnationStore, Relearning } from '@isthmus/replication/ports/incarnation-store';
import type { SlotKeeper, SlotLife } from '@isthmus/replication/ports/slot-keeper';
import type {
  TransferJob,
  TransferJobs,
  TransferPlace,
  TransferWish,
} from '@isthmus/replication/ports/transfer-jobs';
import type { TransferAnswer, TransferPeer, TransferRequest } from '@isthmus/replication/ports/transfer-peer';
import type {
  MergeDecision,
  MergeTransaction,
  Published,
  RaiseTransaction,
  Standing,
  TransferSnapshot,
  TransferStore,
} from '@isthmus/replication/ports/transfer-store';
import type { Vector, VectorEntry, WholePast } from '@isthmus/replication/ports/vector';
import type { SweepResult, Verification, VerificationStore } from '@isthmus/replication/ports/verification';
import type { Donor } from '@isthmus/replication/transfer/donor';
import type { Oracle } from './oracle.ts';
import type { FeedWorld } from './sim-kafka.ts';
import { decideKind, type SimPostgres } from './sim-postgres.ts';
import type { SimProcess } from './sim-process.ts';

export class SimTransferStore implements TransferStore {
  readonly #postgres: SimPostgres;
  readonly #oracle: Pick<Oracle, 'refused' | 'awaited' | 'toldBeats'>;

  constructor(postgres: SimPostgres, oracle: Pick<Oracle, 'refused' | 'awaited' | 'toldBeats'>) {
    this.#postgres = postgres;
    this.#oracle = oracle;
  }

  get #inner(): TransferStore {
    return this.#postgres.region.transfers;
  }

  async openSnapshot(): Promise<TransferSnapshot> {
    const postgres = this.#postgres;
    const inner = await postgres.read('snapshot', async () => {
      const snapshot = await this.#inner.openSnapshot();
      this.#opened(snapshot.standing);
      return snapshot;
    });
    return {
      standing: inner.standing,
      ranges: (after) => postgres.read('ranges', () => inner.ranges(after)),
      digest: (range) => postgres.read('digest', () => inner.digest(range)),
      hashes: (range, limit) => postgres.read('hashes', () => inner.hashes(range, limit)),
      states: (ids) => postgres.read('states', () => inner.states(ids)),
      close: () => inner.close(),
    };
  }

  #opened({ beat, settled }: Standing): void {
    const { region, incarnation } = this.#postgres;
    const isAwaited = ({ region: origin, incarnation: life }: Life): boolean =>
      region.records.isAwaited({ origin, incarnation: life });
    const donor = { region: region.id, incarnation };
    if (beat !== null) this.#oracle.toldBeats.opened({ donor, own: beat.lsn, settled, isAwaited });
  }

  standing(): Promise<Standing> {
    return this.#postgres.read('standing', () => this.#inner.standing());
  }

  published(upTo: Lsn): Promise<Published | null> {
    return this.#postgres.read('published', () => this.#inner.published(upTo));
  }

  expect(ahead: Vector): Promise<void> {
    return this.#postgres.commit('expect', () => this.#inner.expect(ahead));
  }

  forgetCovered(retired: readonly RegionId[]): Promise<boolean> {
    return this.#postgres.commit('forget covered', () => this.#inner.forgetCovered(retired));
  }

  beginPass(job: number): Promise<void> {
    return this.#postgres.commit('begin pass', () => this.#inner.beginPass(job));
  }

  merge(transaction: MergeTransaction): Promise<boolean> {
    return this.#postgres.call(decideKind, 'merge', () => this.#merge(transaction));
  }

  async #merge(transaction: MergeTransaction): Promise<boolean> {
    let refused: MergeDecision['refused'] = [];
    const isMerged = await this.#inner.merge({
      ...transaction,
      decide: (locked) => {
        const decision = transaction.decide(locked);
        refused = decision?.refused ?? [];
        return decision;
      },
    });
    if (isMerged) this.#oracle.refused(refused);
    return isMerged;
  }

  raise(transaction: RaiseTransaction): Promise<boolean> {
    return this.#postgres.call(decideKind, 'raise', () => this.#raise(transaction));
  }

  async #raise(transaction: RaiseTransaction): Promise<boolean> {
    const { region } = this.#postgres;
    const { tables } = region.records;
    const before = new Set(tables.awaited.keys());
    const rows = region.records.allPositions();
    const donor = region.jobs.donorOf(transaction.job);
    const isRaised = await this.#inner.raise(transaction);
    if (isRaised && donor !== null)
      this.#oracle.toldBeats.raised(region.id, { donor, vector: transaction.vector, before: rows });
    if ([...tables.awaited.keys()].some((life) => !before.has(life))) this.#oracle.awaited('transfer');
    return isRaised;
  }

  ranges(after: RecordId): Promise<readonly NextRange[]> {
    return this.#postgres.read('ranges', () => this.#inner.ranges(after));
  }

  digest(range: RecordRange): Promise<RangeDigest> {
    return this.#postgres.read('digest', () => this.#inner.digest(range));
  }

  hashes(range: RecordRange, limit: number): Promise<HashedRecords> {
    return this.#postgres.read('hashes', () => this.#inner.hashes(range, limit));
  }

  states(ids: readonly RecordId[]): Promise<readonly Uint8Array[]> {
    return this.#postgres.read('states', () => this.#inner.states(ids));
  }
}

export class SimTransferJobs implements TransferJobs {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner(): TransferJobs {
    return this.#postgres.region.jobs;
  }

  want(wish: TransferWish): Promise<number> {
    return this.#postgres.commit('want', () => this.#inner.want(wish));
  }

  open(): Promise<readonly TransferJob[]> {
    return this.#postgres.read('open jobs', () => this.#inner.open());
  }

  find(id: number): Promise<TransferJob | null> {
    return this.#postgres.read('find job', () => this.#inner.find(id));
  }

  recent(): Promise<readonly TransferJob[]> {
    return this.#postgres.read('recent jobs', () => this.#inner.recent());
  }

  start(id: number): Promise<void> {
    return this.#postgres.commit('start job', () => this.#inner.start(id));
  }

  note(id: number, place: TransferPlace): Promise<void> {
    return this.#postgres.commit('note job', () => this.#inner.note(id, place));
  }

  postpone(id: number, detail: string): Promise<void> {
    return this.#postgres.commit('postpone job', () => this.#inner.postpone(id, detail));
  }

  end(id: number, outcome: Parameters<TransferJobs['end']>[1]): Promise<void> {
    return this.#postgres.commit('end job', () => this.#inner.end(id, outcome));
  }
}

export class SimVerifications implements VerificationStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner(): VerificationStore {
    return this.#postgres.region.verifications;
  }

  all(): Promise<readonly Verification[]> {
    return this.#postgres.read('verifications', () => this.#inner.all());
  }

  want(peers: readonly RegionId[]): Promise<ReadonlyMap<RegionId, number>> {
    return this.#postgres.commit('want sweep', () => this.#inner.want(peers));
  }

  began(peer: RegionId): Promise<number> {
    return this.#postgres.commit('sweep began', () => this.#inner.began(peer));
  }

  ended(peer: RegionId, result: SweepResult): Promise<void> {
    return this.#postgres.commit('sweep ended', () => this.#inner.ended(peer, result));
  }
}

export class SimSlotKeeper implements SlotKeeper {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  life(): Promise<SlotLife | null> {
    return this.#postgres.commit('slot life', () => this.#postgres.region.slots.life());
  }

  renew(): Promise<SlotLife> {
    return this.#postgres.commit('renew slot', () => this.#postgres.region.slots.renew());
  }
}

export class SimIncarnations implements IncarnationStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner(): IncarnationStore {
    return this.#postgres.region.incarnations;
  }

  close(ended: VectorEntry): Promise<void> {
    return this.#postgres.commit('close incarnation', () => this.#inner.close(ended));
  }

  closed(): Promise<Vector> {
    return this.#postgres.read('closed incarnations', () => this.#inner.closed());
  }

  relearning(): Promise<Relearning | null> {
    return this.#postgres.read('relearning', () => this.#inner.relearning());
  }

  filled(): Promise<void> {
    return this.#postgres.commit('filled', () => this.#inner.filled());
  }

  setOpen(isOpen: boolean): Promise<void> {
    return this.#postgres.read('open to writes', () => this.#inner.setOpen(isOpen));
  }

  relearnt(whole: WholePast | null): Promise<void> {
    return this.#postgres.commit('relearnt', () => {
      this.#postgres.region.hasLearntAlone = whole === null;
      return this.#inner.relearnt(whole);
    });
  }
}

export interface TransferWorld extends FeedWorld {
  /** Of a process of the region that answers; `null`: there is none. */
  readonly donorOf: (region: RegionId) => Pick<Donor, 'answer'> | null;
  readonly isHealing: boolean;
}

/** What is not answered on the way is waited for as anywhere; only the way itself is of the simulator. */
export class SimTransferPeer implements TransferPeer {
  readonly #self: RegionId;
  readonly #process: SimProcess;
  readonly #world: TransferWorld;
  readonly #inner: MemoryTransferPeer;

  constructor(self: RegionId, process: SimProcess, world: TransferWorld) {
    this.#self = self;
    this.#process = process;
    this.#world = world;
    const across = (peer: RegionId): MemoryDonor => ({ answer: (request) => this.#across(peer, request) });
    this.#inner = new MemoryTransferPeer((peer) => (world.isHealing ? across(peer) : null), process.timer);
  }

  ask(peer: RegionId, request: TransferRequest, signal?: AbortSignal): Promise<TransferAnswer> {
    return this.#inner.ask(peer, request, signal);
  }

  #across(peer: RegionId, request: TransferRequest): Promise<TransferAnswer> {
    const { scheduler } = this.#world;
    const link = this.#world.linkBetween(this.#self, peer);
    return new Promise((resolve, reject) => {
      const { epoch } = link;
      const answer = (news: () => void): void =>
        void scheduler.after(link.delayMs(), () => {
          if (link.epoch === epoch && !link.isClogged) this.#process.hear(news);
        });
      scheduler.after(link.delayMs(), () => {
        if (link.isCut || link.isMute) return;
        const donor = this.#world.donorOf(peer);
        if (donor === null) return answer(() => reject(unreachable(peer)));
        donor.answer(request).then(
          (given) => answer(() => resolve(given)),
          (reason: unknown) => answer(() => reject(reason)),
        );
      });
    });
  }
}

function unreachable(peer: RegionId): ReplicationError {
  return new ReplicationError('peer-unavailable', `${peer} does not answer`, { retriable: true });
}
