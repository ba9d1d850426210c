/**
 * Watches the link to every peer: the shell around `link-monitor.ts`. Twice a second it reads from the tables what
 * arrived from each peer and what each peer echoed, asks every peer over HTTP, and decides with what is known at that
 * moment. Neither a database nor a peer that hangs holds up a decision, because reading and asking run beside it, one
 * of each in flight: what does not come back simply grows old. It needs nothing but tables and the peers, so every
 * process of a region can run it and they agree.
 */
import { ageMs } from '../age.ts';
import { ReplicationError } from '../errors.ts';
import type { BeatStore, HeardBeat, PeerProgress } from '../ports/beat-store.ts';
import type { Clock } from '../ports/clock.ts';
import type { RegionId } from '../ports/identity.ts';
import type { PeerClient } from '../ports/peer-client.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import { initialLink, type LinkSignals, type LinkState, stepLink } from './link-monitor.ts';

const watchIntervalMs = 500;

export interface LinkWatchOptions {
  readonly peers: readonly RegionId[];
  readonly beats: Pick<BeatStore, 'heard' | 'peerProgress' | 'beatAtMs'>;
  readonly client: PeerClient;
  readonly clock: Clock;
  readonly timer: Timer;
}

export interface WatchedLink {
  readonly peer: RegionId;
  readonly state: LinkState;
  /** What the state was last decided from. */
  readonly signals: LinkSignals;
}

const noSignals: LinkSignals = { tickAgeMs: null, echoAgeMs: null, answered: false };

export class LinkWatch {
  readonly #options: LinkWatchOptions;
  readonly #peers: readonly WatchedPeer[];
  readonly #ticker: Ticker;
  #reading: Promise<void> | null = null;
  #lastFailure: unknown = null;

  constructor(options: LinkWatchOptions) {
    this.#options = options;
    const nowMs = options.timer.monotonicMs();
    this.#peers = options.peers.map((peer) => new WatchedPeer(peer, nowMs));
    this.#ticker = new Ticker({
      timer: options.timer,
      intervalMs: watchIntervalMs,
      run: () => this.#turn(),
    });
  }

  get links(): readonly WatchedLink[] {
    return this.#peers.map(({ peer, state, signals }) => ({ peer, state, signals }));
  }

  /** What the last reading of the tables failed with; `null` once one succeeded after it. */
  get lastFailure(): unknown {
    return this.#lastFailure;
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
    const wallMs = this.#wallMs();
    for (const peer of this.#peers) peer.decide(wallMs, this.#options.timer.monotonicMs());
    return Promise.resolve();
  }

  async #read(): Promise<void> {
    await this.#orFailure(async () => {
      const { beats } = this.#options;
      const heard = await beats.heard();
      const progress = await beats.peerProgress();
      await Promise.all(this.#peers.map((peer) => this.#take(peer, heard, progress)));
      this.#lastFailure = null;
    });
  }

  async #take(
    peer: WatchedPeer,
    heard: readonly HeardBeat[],
    progress: readonly PeerProgress[],
  ): Promise<void> {
    peer.tick = heard.find(({ origin }) => origin === peer.peer) ?? null;
    const told = progress.find((candidate) => candidate.peer === peer.peer);
    await this.#echoed(peer, told?.echoedBeat ?? null);
  }

  async #ask(peer: WatchedPeer): Promise<void> {
    const echo = await this.#options.client.ping(peer.peer);
    peer.answered = echo !== null;
    await this.#orFailure(() => this.#echoed(peer, echo?.echoedBeat ?? null));
  }

  async #echoed(peer: WatchedPeer, beat: number | null): Promise<void> {
    if (beat === null || !peer.isNewEcho(beat)) return;
    const atMs = await this.#options.beats.beatAtMs(beat);
    if (atMs !== null && peer.isNewEcho(beat)) peer.echo = { beat, atMs };
  }

  async #orFailure(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      this.#lastFailure = error;
    }
  }

  /** `null` before the database's clock was read for the first time. */
  #wallMs(): number | null {
    try {
      return this.#options.clock.nowMs();
    } catch (error) {
      if (error instanceof ReplicationError && error.code === 'clock-unknown') return null;
      throw error;
    }
  }
}

class WatchedPeer {
  readonly peer: RegionId;
  state: LinkState;
  signals: LinkSignals = noSignals;
  tick: HeardBeat | null = null;
  echo: { readonly beat: number; readonly atMs: number } | null = null;
  answered = false;
  asking: Promise<void> | null = null;

  constructor(peer: RegionId, nowMs: number) {
    this.peer = peer;
    this.state = initialLink(nowMs);
  }

  isNewEcho(beat: number): boolean {
    return this.echo === null || beat > this.echo.beat;
  }

  decide(wallMs: number | null, nowMs: number): void {
    const age = (atMs: number | null) => (wallMs === null ? null : ageMs(wallMs, atMs));
    this.signals = {
      tickAgeMs: age(this.tick?.receivedAtMs ?? null),
      echoAgeMs: age(this.echo?.atMs ?? null),
      answered: this.answered,
    };
    this.state = stepLink(this.state, this.signals, nowMs);
  }
}
