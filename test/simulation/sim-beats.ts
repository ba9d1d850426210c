/** Beats as one process writes them, which tells by its own clock how much time has passed between two of them. */
import type {
  BeatHold,
  BeatStore,
  HeardBeat,
  Overview,
  PeerProgress,
} from '@isthmus/replication/ports/beat-store';
import { BeatClock, type BeatBounds } from '@isthmus/replication/adapters/beat-clock';
import type { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import type { CountedBeat, Lsn } from '@isthmus/replication/ports/change';
import type { PositionRow } from '@isthmus/replication/ports/record-store';
import type { Oracle } from './oracle.ts';
import { commitKind, type SimPostgres } from './sim-postgres.ts';
import { FoundBeats } from './untold-beats.ts';

interface SimBeatHold {
  /** Resolves with the database's clock as if it had never been set back. */
  readonly beatWithin: (bounds: BeatBounds) => Promise<number>;
  readonly release: () => Promise<void>;
}

export class SimBeatStore implements BeatStore {
  readonly #postgres: SimPostgres;
  /** Of the process. */
  readonly #clock: BeatClock;
  readonly #oracle: Oracle;
  /** By the process. */
  readonly #found = new FoundBeats();

  constructor(postgres: SimPostgres, oracle: Oracle) {
    this.#postgres = postgres;
    this.#oracle = oracle;
    this.#clock = new BeatClock(() => postgres.timer.monotonicMs());
  }

  get #inner(): MemoryBeatStore {
    return this.#postgres.region.beats;
  }

  async tryHold(): Promise<BeatHold | null> {
    const postgres = this.#postgres;
    const hold = await postgres.take('hold beats', () => this.#held(), {
      giveBack: (held) => void held.release(),
      kind: commitKind,
    });
    if (hold === null) return null;
    const beat = (): Promise<void> =>
      this.#clock.beat((bounds) => postgres.commit('beat', () => hold.beatWithin(bounds)));
    return { beat, release: () => hold.release() };
  }

  look(): Promise<void> {
    return this.#clock.look(() => this.#postgres.read('newest beat', async () => this.#inner.seen));
  }

  storePublished(beats: readonly CountedBeat[]): Promise<void> {
    return this.#postgres.commit('published', async () => {
      await this.#inner.storePublished(beats);
      this.#oracle.counted(this.#postgres, beats);
    });
  }

  countAt(end: Lsn): Promise<number | null> {
    return this.#postgres.read('count at', () => this.#inner.countAt(end));
  }

  storePeerProgress(progress: PeerProgress): Promise<void> {
    return this.#postgres.commit('progress', () => {
      this.#postgres.region.toldLives.set(progress.peer, progress.peerIncarnation);
      return this.#inner.storePeerProgress(progress);
    });
  }

  storeHeard(heard: readonly HeardBeat[]): Promise<readonly PositionRow[]> {
    return this.#postgres.commit('heard', () => this.#inner.storeHeard(heard));
  }

  async overview(): Promise<Overview> {
    const overview = await this.#postgres.read('overview', () => this.#inner.overview());
    const { newest } = overview.own;
    if (newest !== null) this.#found.note(newest.number);
    return overview;
  }

  beatAtMs(number: number): Promise<number | null> {
    return this.#postgres.read('beat at', () => this.#inner.beatAtMs(number));
  }

  prune(): Promise<number> {
    return this.#postgres.commit('prune', () => this.#inner.prune());
  }

  /** The lock falls with the session, also where its answer never arrived. */
  async #held(): Promise<SimBeatHold | null> {
    const inner = await this.#inner.tryHold();
    if (inner === null) return null;
    const forget = this.#postgres.hold(() => void inner.release());
    const beatWithin = async (bounds: BeatBounds): Promise<number> => {
      const before = this.#inner.seen;
      const unsetMs = inner.beatWithin(bounds);
      this.#postgres.region.untold.written(unsetMs, before?.unsetMs ?? null, this.#found);
      this.#oracle.beat(this.#postgres);
      return unsetMs;
    };
    const release = async (): Promise<void> => {
      forget();
      await inner.release();
    };
    return { beatWithin, release };
  }
}
