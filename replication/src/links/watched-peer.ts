/**
 * What one process has seen of one peer so far, and the state of its link. It remembers when each sign of life last
 * moved, and turns that into the signals of `link-monitor.ts`; a new life of the peer begins anew, because numbers of
 * different lives do not compare.
 */
import type { HeardBeat, PeerProgress } from '../ports/beat-store.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { PeerEcho } from '../ports/peer-client.ts';
import type { Mark } from '../ports/incident-store.ts';
import { freshMs, initialLink, type LinkSignals, type LinkState, stepLink } from './link-monitor.ts';
import { Moved } from './moved.ts';
import type { Applied } from './position-marks.ts';

const noSignals: LinkSignals = {
  blind: true,
  tickAgeMs: null,
  dataAgeMs: null,
  echoAgeMs: null,
  echoMovedMs: null,
  peerDataAgeMs: null,
  answered: false,
};

interface Life {
  readonly incarnation: Incarnation;
  readonly beat: Moved;
  readonly data: Moved;
}

export interface SeenOfPeer {
  readonly heard: HeardBeat | null;
  readonly progress: PeerProgress | null;
  readonly applied: Applied | null;
  readonly readAtMs: number;
}

export interface Written {
  readonly mark: Mark;
  /** Monotonic. */
  readonly askedAtMs: number;
}

export class WatchedPeer {
  readonly peer: RegionId;
  state: LinkState;
  signals: LinkSignals = noSignals;
  asking: Promise<void> | null = null;
  readonly #watchedSinceMs: number;
  readonly #progress = new Moved();
  readonly #echo = new Moved();
  #echoed: number | null = null;
  #heardLife: Life | null = null;
  #written: Written | null = null;
  #answer: { readonly echo: PeerEcho; readonly askedAtMs: number } | null = null;

  constructor(peer: RegionId, nowMs: number) {
    this.peer = peer;
    this.#watchedSinceMs = nowMs;
    this.state = initialLink(nowMs);
  }

  take({ heard, progress, applied, readAtMs }: SeenOfPeer): void {
    if (heard !== null) this.#lifeOf(heard.incarnation).beat.see(BigInt(heard.beat.number), readAtMs);
    if (applied !== null) this.#lifeOf(applied.incarnation).data.see(applied.applied, readAtMs);
    if (progress === null) return;
    this.#progress.see(BigInt(Math.round(progress.heardAtMs)), readAtMs);
    this.#echoTo(progress.echoedBeat, readAtMs);
  }

  answer(echo: PeerEcho, askedAtMs: number): void {
    this.#answer = { echo, askedAtMs };
    if (echo.written !== null) this.#written = { mark: echo.written, askedAtMs };
    this.#echoTo(echo.echoedBeat, askedAtMs);
  }

  /** What the peer last said that it had written, and when it was asked; `null`: it never said. */
  get written(): Written | null {
    return this.#written;
  }

  toldDataAgeMs(nowMs: number): number {
    return this.#heardLife?.data.ageMs(nowMs) ?? nowMs - this.#watchedSinceMs;
  }

  decide(
    own: { readonly isBlind: boolean; readonly beatAgeMs: (beat: number) => number | null },
    nowMs: number,
  ): void {
    const life = this.#heardLife;
    const answer = this.#answer !== null && nowMs - this.#answer.askedAtMs <= freshMs ? this.#answer : null;
    const toldMs = answer?.echo.changesAgeMs ?? null;
    this.signals = {
      blind: own.isBlind,
      tickAgeMs: least(life?.beat.ageMs(nowMs) ?? null, this.#progress.ageMs(nowMs)),
      dataAgeMs: life?.data.ageMs(nowMs) ?? null,
      echoAgeMs: this.#echoed === null ? null : own.beatAgeMs(this.#echoed),
      echoMovedMs: this.#echo.ageMs(nowMs),
      peerDataAgeMs: answer === null || toldMs === null ? null : toldMs + (nowMs - answer.askedAtMs),
      answered: answer !== null,
    };
    this.state = stepLink(this.state, this.signals, nowMs);
  }

  #echoTo(beat: number | null, seenAtMs: number): void {
    if (beat === null || (this.#echoed !== null && beat <= this.#echoed)) return;
    this.#echoed = beat;
    this.#echo.see(BigInt(beat), seenAtMs);
  }

  /** That of another, older life is let go; words of it come to nothing. */
  #lifeOf(incarnation: Incarnation): Life {
    const known = this.#heardLife;
    if (known !== null && sameIncarnation(known.incarnation, incarnation)) return known;
    const fresh = { incarnation, beat: new Moved(), data: new Moved() };
    if (known === null || incarnation.counter > known.incarnation.counter) this.#heardLife = fresh;
    return fresh;
  }
}

function least(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}
