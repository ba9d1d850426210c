/**
 * Beats, counts and progress on a database in memory: held to the same contract as the store on Postgres, by the same
 * formulas of P7. Everything it stores is durable when the call returns. Beats are found by their numbers, which have
 * no holes but those that pruning leaves.
 */
import { ReplicationError } from '../../errors.ts';
import type {
  BeatHold,
  BeatStore,
  HeardBeat,
  Overview,
  OwnBeats,
  PeerProgress,
  RpoFigures,
} from '../../ports/beat-store.ts';
import type { Beat, CountedBeat, Lsn } from '../../ports/change.ts';
import type { RegionId } from '../../ports/identity.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { PositionRow } from '../../ports/record-store.ts';
import { BeatClock, type BeatBounds, type SeenBeat } from '../beat-clock.ts';
import { MemoryBeats } from './beats.ts';
import type { MemoryDatabase, MemoryLock } from './database.ts';
import type { MemoryRecordStore } from './record-store.ts';
import type { MemoryTable } from './table.ts';

export class MemoryBeatStore implements BeatStore {
  readonly #database: MemoryDatabase;
  readonly #beats: MemoryBeats;
  readonly #progress: MemoryTable<PeerProgress>;
  readonly #heard: MemoryTable<HeardBeat>;
  readonly #records: Pick<MemoryRecordStore, 'tables' | 'isAwaited' | 'isClosed'>;
  readonly #peers: readonly RegionId[];
  readonly #clock = new BeatClock(() => performance.now());

  /** `peers` are waited for, also those that were never heard. */
  constructor(database: MemoryDatabase, records: MemoryRecordStore, peers: readonly RegionId[]) {
    this.#database = database;
    this.#beats = new MemoryBeats(database);
    this.#progress = database.table('peer_progress');
    this.#heard = database.table('heard');
    this.#records = records;
    this.#peers = peers;
  }

  /** Its transaction has ended, as every other has that is not running right now. */
  get newest(): Beat | null {
    return this.#beats.newest;
  }

  get newestCounted(): CountedBeat | null {
    return this.#beats.newestCounted;
  }

  /** Those of the numbers from and to, inclusive, that are kept. */
  between(from: number, to: number): readonly Beat[] {
    return this.#beats.between(from, to);
  }

  /** The newest one that so many have followed. */
  followedBy(count: number): Beat | null {
    return this.#beats.followedBy(count);
  }

  get publishedThrough(): Lsn | null {
    return this.#beats.newestPublished?.end ?? null;
  }

  /** The newest one, as a process that stands by sees it. */
  get seen(): SeenBeat | null {
    return this.#beats.seen;
  }

  /** The newest beat that ended up to there. */
  passedBy(end: Lsn): CountedBeat | null {
    return this.#beats.passedBy(end);
  }

  /** `clock` is the process's own. */
  async tryHold(clock = this.#clock): Promise<MemoryBeatHold | null> {
    const lock = this.#database.tryLock('beats');
    return lock === null ? null : new MemoryBeatHold(lock, this.#beats, clock);
  }

  async look(): Promise<void> {
    await this.#clock.look(async () => this.#beats.seen);
  }

  async storePublished(beats: readonly CountedBeat[]): Promise<void> {
    this.#database.transact(true, () => {
      for (const beat of beats) this.#beats.storePublished(beat);
    });
  }

  async countAt(end: Lsn): Promise<number | null> {
    return this.#beats.endingAt(end)?.count ?? null;
  }

  async storePeerProgress(told: PeerProgress): Promise<void> {
    const known = this.#progress.get(told.peer);
    if (known !== undefined && told.peerIncarnation.counter < known.peerIncarnation.counter) return;
    const isSame = known !== undefined && sameIncarnation(known.peerIncarnation, told.peerIncarnation);
    this.#database.transact(true, () => this.#progress.put(told.peer, isSame ? later(known, told) : told));
  }

  async storeHeard(heard: readonly HeardBeat[]): Promise<readonly PositionRow[]> {
    this.#database.transact(true, () => {
      for (const beat of heard) {
        const known = this.#heard.get(beat.origin);
        if (known === undefined || !isOlder(beat, known)) this.#heard.put(beat.origin, beat);
      }
    });
    return this.#allPositions();
  }

  async overview(): Promise<Overview> {
    return {
      rpo: this.#rpo(),
      own: this.#own(),
      heard: [...this.#heard.values()].toSorted((a, b) => (a.origin < b.origin ? -1 : 1)),
      progress: this.#told().toSorted((a, b) => (a.peer < b.peer ? -1 : 1)),
      positions: this.#allPositions(),
    };
  }

  /** What a peer had settled in a life before the one that it is known under here it may have lost (P9). */
  #told(): readonly PeerProgress[] {
    const { positions } = this.#records.tables;
    return Array.from(this.#progress.values(), (told) => {
      const { counter } = told.peerIncarnation;
      const isOfPast = (positions.get(told.peer) ?? []).some(
        ({ incarnation }) => incarnation.counter > counter,
      );
      return isOfPast ? { ...told, settled: null, settledBeat: null } : told;
    });
  }

  /** Lives whose past is awaited have settled no beat. */
  #allPositions(): readonly PositionRow[] {
    const { positions, awaited } = this.#records.tables;
    const rows = [...positions.keys()].toSorted().flatMap((origin) => positions.get(origin) ?? []);
    if (awaited.size === 0) return rows;
    return rows.map((row) => (this.#records.isAwaited(row) ? { ...row, beat: null } : row));
  }

  #own(): OwnBeats {
    const { newest, newestCounted } = this.#beats;
    const logged = this.#logged();
    return {
      newest: newest && { number: newest.number, lsn: newest.lsn, atMs: newest.atMs },
      newestCounted,
      logCoveredAtMs: logged && this.#beats.coveredAtMs(logged),
      logCount: logged && logged.count,
    };
  }

  /**
   * What a lost slot had not read, and what earlier lives had not published, is in no log, so later beats speak for it
   * once a peer holds that, as long as it is not retired; of earlier lives it does when it tells a beat as settled.
   */
  #logged(): CountedBeat | null {
    const { laterStarts, lifeStart } = this.#database.wal;
    if (laterStarts.length === 0 && lifeStart === null) return this.#beats.newestPublished;
    const told = this.#told().filter(({ peer }) => !this.#records.isClosed(peer));
    const holders = (from: Lsn): readonly PeerProgress[] =>
      told.filter(({ settled }) => settled !== null && settled.every((lsn) => from <= lsn));
    if (lifeStart !== null && holders(lifeStart).every(({ settledBeat }) => settledBeat === null))
      return this.#beats.publishedUpTo(lifeStart);
    const missing = laterStarts.find((from) => holders(from).length === 0);
    return missing === undefined ? this.#beats.newestPublished : this.#beats.publishedUpTo(missing);
  }

  #rpo(): readonly RpoFigures[] {
    const told = this.#told();
    const peers = new Set([...this.#peers, ...told.map(({ peer }) => peer)]);
    return [...peers].toSorted().map((peer) => {
      const settled = told.find((each) => each.peer === peer)?.settledBeat ?? null;
      const beat = settled === null ? null : this.#beats.notAfter(settled);
      if (beat === null) return { peer, coveredAtMs: null, settledCount: null };
      return { peer, coveredAtMs: this.#beats.coveredAtMs(beat), settledCount: beat.count };
    });
  }

  async beatAtMs(number: number): Promise<number | null> {
    return this.#beats.get(number)?.atMs ?? null;
  }

  /** In a transaction, when the database becomes another incarnation: what is known of the peers themselves stays. */
  beginAnew(): void {
    this.#beats.forget();
    for (const told of Array.from(this.#progress.values()))
      this.#progress.put(told.peer, { ...told, settled: null, settledBeat: null, echoedBeat: null });
  }

  async prune(): Promise<number> {
    const settled = [...this.#peers].map((peer) => this.#progress.get(peer)?.settledBeat ?? 0);
    let pruned = 0;
    this.#database.transact(true, () => {
      pruned = this.#beats.prune(settled, this.#database.nowMs());
    });
    return pruned;
  }
}

/** Of one process, whose clock tells how much time has passed between its beats. */
class MemoryBeatHold implements BeatHold {
  readonly #lock: MemoryLock;
  readonly #beats: MemoryBeats;
  readonly #clock: BeatClock;

  constructor(lock: MemoryLock, beats: MemoryBeats, clock: BeatClock) {
    this.#lock = lock;
    this.#beats = beats;
    this.#clock = clock;
  }

  beat(): Promise<void> {
    return this.#clock.beat(async (bounds) => this.beatWithin(bounds));
  }

  /** Returns the database's clock as if it had never been set back. */
  beatWithin(bounds: BeatBounds): number {
    if (!this.#lock.isHeld)
      throw new ReplicationError('database-unavailable', 'the hold on the beats is gone', {
        retriable: true,
      });
    return this.#beats.write(bounds);
  }

  async release(): Promise<void> {
    this.#lock.release();
  }
}

/**
 * Nothing goes back, whatever order messages come in, but that a peer may say later that it has settled no beat: it awaits
 * the past then (P9). What echoes an older beat was told before; our clock, which may be set back, is not asked.
 */
function later(known: PeerProgress, told: PeerProgress): PeerProgress {
  const wasBefore = (told.echoedBeat ?? Infinity) < (known.echoedBeat ?? -Infinity);
  const hasNone = (wasBefore ? known : told).settledBeat === null;
  return {
    ...told,
    settled: greatestOf(known.settled, told.settled),
    settledBeat: hasNone ? null : greatest(known.settledBeat, told.settledBeat),
    echoedBeat: greatest(known.echoedBeat, told.echoedBeat),
    heardAtMs: wasBefore ? known.heardAtMs : told.heardAtMs,
    // One that is not told any more says nothing of now.
    publishedCount: told.publishedCount === null ? null : greatest(known.publishedCount, told.publishedCount),
    clockOffset: told.clockOffset ?? known.clockOffset,
  };
}

function greatest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
}

function greatestOf(a: readonly Lsn[] | null, b: readonly Lsn[] | null): readonly Lsn[] | null {
  if (a === null || b === null) return a ?? b;
  return b.map((told, partition) => {
    const known = a[partition] ?? 0n;
    return known > told ? known : told;
  });
}

function isOlder(beat: HeardBeat, known: HeardBeat): boolean {
  if (sameIncarnation(beat.incarnation, known.incarnation)) return beat.beat.number <= known.beat.number;
  return beat.incarnation.counter < known.incarnation.counter;
}
