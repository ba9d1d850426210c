/**
 * Watches the link to every peer: the shell around `link-monitor.ts`. Twice a second it reads from the tables what
 * arrived from each peer, how far it was applied and what each peer echoed, asks every peer over HTTP, and decides
 * with what is known at that moment. Neither a database nor a peer that hangs holds up a decision, because reading and
 * asking run beside it, one of each in flight: what does not come back simply grows old. All ages are monotonic, so a
 * wall clock that is set makes no link better or worse. It needs nothing but tables and the peers, so every process of
 * a region can run it and they agree.
 */
import { ReplicationError } from '../errors.ts';
import type { BeatStore, Overview } from '../ports/beat-store.ts';
import type { RegionId } from '../ports/identity.ts';
import type { PeerClient } from '../ports/peer-client.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import { freshMs, type LinkSignals, type LinkState, shownLink } from './link-monitor.ts';
import { Moved } from './moved.ts';
import { OwnBeats } from './own-beats.ts';
import { leastApplied } from './position-marks.ts';
import { WatchedPeer, type Written } from './watched-peer.ts';

const watchIntervalMs = 500;

export interface LinkWatchOptions {
  readonly peers: readonly RegionId[];
  readonly partitionCount: number;
  readonly beats: Pick<BeatStore, 'overview'>;
  readonly client: Pick<PeerClient, 'ping'>;
  readonly timer: Timer;
  readonly beatIntervalMs: number;
}

export interface WatchedLink {
  readonly peer: RegionId;
  readonly state: LinkState;
  /** What the state was last decided from. */
  readonly signals: LinkSignals;
  readonly written: Written | null;
}

/** What is shown of a link. */
export interface LinkView {
  readonly peer: RegionId;
  readonly state: Pick<LinkState, 'kind'>;
}

export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #peers: readonly WatchedPeer[];
  readonly #ticker: Ticker;
  readonly #own = new Moved();
  readonly #ownBeats: OwnBeats;
  #reading: Promise<void> | null = null;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    const nowMs = options.timer.monotonicMs();
    this.#peers = options.peers.map((peer) => new WatchedPeer(peer, nowMs));
    this.#ownBeats = new OwnBeats(options.beatIntervalMs);
    this.#ticker = new Ticker({
      timer: options.timer,
      intervalMs: watchIntervalMs,
      run: () => this.#turn(),
    });
  }

  get links(): readonly WatchedLink[] {
    const nowMs = this.#options.timer.monotonicMs();
    return this.#peers.map(({ peer, state, signals, written }) => {
      return { peer, state: shownLink(state, nowMs), signals, written };
    });
  }

  /** What to tell this peer of its changes: how long ago they moved our positions, or how long they have not. */
  dataAgeMs(peer: RegionId): number | null {
    const watched = this.#peers.find((candidate) => candidate.peer === peer);
    const nowMs = this.#options.timer.monotonicMs();
    return watched === undefined || this.#isBlind(nowMs) ? null : watched.toldDataAgeMs(nowMs);
  }

  start(): void {
    this.#ticker.start();
  }

  /** Resolves when no request is in flight. */
  async stop(): Promise<void> {
    await this.#ticker.stop();
    await Promise.all([this.#reading, ...this.#peers.map((peer) => peer.asking)]);
  }

  /** Decides and does not wait for what it starts. */
  #turn(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    for (const peer of this.#peers)
      peer.asking ??= this.#ask(peer).finally(() => {
        peer.asking = null;
      });
    const nowMs = this.#options.timer.monotonicMs();
    const own = {
      isBlind: this.#isBlind(nowMs),
      beatAgeMs: (beat: number) => this.#ownBeats.ageMs(beat, nowMs),
    };
    for (const peer of this.#peers) peer.decide(own, nowMs);
    return Promise.resolve();
  }

  /** Where our own beats were not seen to move, no echo can be young, and no table can be believed. */
  #isBlind(nowMs: number): boolean {
    const ageMs = this.#own.ageMs(nowMs);
    return ageMs === null || ageMs > freshMs;
  }

  async #read(): Promise<void> {
    const { beats, timer } = this.#options;
    try {
      const readAtMs = timer.monotonicMs();
      const overview = await beats.overview();
      const { newest } = overview.own;
      for (const peer of this.#peers) this.#take(peer, overview, readAtMs);
      if (newest !== null) this.#ownBeats.see(newest.number, readAtMs);
      this.#own.see(newest === null ? null : BigInt(newest.number), readAtMs);
    } catch (error) {
      // What was read before grows old, and an old sight is called blind.
      if (!(error instanceof ReplicationError)) throw error;
    }
  }

  #take(watched: WatchedPeer, { heard, progress, positions }: Overview, readAtMs: number): void {
    const { peer } = watched;
    const rows = positions.filter(({ origin }) => origin === peer);
    watched.take({
      heard: heard.find(({ origin }) => origin === peer) ?? null,
      progress: progress.find((told) => told.peer === peer) ?? null,
      applied: leastApplied(rows, this.#options.partitionCount),
      readAtMs,
    });
  }

  async #ask(peer: WatchedPeer): Promise<void> {
    const askedAtMs = this.#options.timer.monotonicMs();
    const answer = await this.#options.client.ping(peer.peer);
    if (answer !== null) peer.answer(answer, askedAtMs);
  }
}
