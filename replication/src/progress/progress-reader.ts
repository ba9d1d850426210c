/**
 * Reads one peer's progress and keeps what it says about our own changes: the origin's side of P7. A message must
 * come from the peer whose topic it was read from and must speak of our present incarnation, else it claims nothing
 * about us. Here a later message replaces an earlier one even where it claims less (in the tables that holds for a settled beat
 * that is told no more, and nothing else goes back), and a new incarnation of the peer replaces everything; only a message of an incarnation older than the known one is dropped. Every message with an
 * echo of a beat not echoed before is also a sample of the offset between the clocks, unless the own clock may have been
 * set since that beat was made, however late the echo comes; where a clock was set, it shows by which of them the offset
 * moved, but for what lies before the start: there it is taken for whichever of the two makes beats older (0069). Messages that cannot be used are counted, never thrown; what the database
 * refuses to take is told anew by the peer within a beat interval.
 */
import { ReplicationError } from '../errors.ts';
import { decodeProgress, type OriginProgress, type ProgressMessage } from '../log/progress-record.ts';
import type { BeatStore, ClockOffset, HeardBeat, PeerProgress } from '../ports/beat-store.ts';
import type { FeedBatch, FeedSubscription } from '../ports/change-feed.ts';
import type { Clock } from '../ports/clock.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { Timer } from '../ports/timer.ts';
import { Trouble } from '../trouble.ts';
import {
  addSample,
  errorNow,
  heldOffset,
  jumpMsBefore,
  type OffsetSamples,
  sampleOf,
  samplesWithOwnClockSet,
} from './clock-offset.ts';
import {
  addJump,
  type Leap,
  leastJumpMs,
  noHistory,
  type OffsetHistory,
  seekJump,
  withOwnClockSet,
} from './earlier-offsets.ts';
import type { HeardBeats } from './heard-beats.ts';
import type { OwnStores } from './own-stores.ts';

/** A message that was longer on its way says nothing any more about how much its log holds. */
const mostTransitMs = 500;

export interface Heard {
  readonly progress: PeerProgress;
  readonly samples: OffsetSamples;
  readonly history: OffsetHistory;
  /** The own clock minus the monotonic one, which moves where the own clock is set. */
  readonly ownBaseMs: number;
  /** Up to it every beat of the peer was made before an echo was told by which its clock had not been set; -1: none is known. */
  readonly agreedBeat: number;
  /** Taken from the tables, and nothing measured since by which it would be known whether the own clock was set in between. */
  readonly isRecalled: boolean;
}

/** When a message is read, and what has arrived of the peer's beats by then. */
interface Moment {
  readonly self: ReaderIdentity;
  readonly nowMs: number;
  readonly monotonicMs: number;
  readonly heardBeat: HeardBeat | null;
  readonly leaps: readonly Leap[];
  /** Of the first own beat that was surely made by the clock as it goes now. */
  readonly firstBeat: number;
}

export interface ReaderIdentity {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly peer: RegionId;
}

/**
 * What is known after this message; `stale` where the peer has moved on to a newer incarnation, `foreign` where the
 * message names another region than the peer.
 */
function stepHeard(heard: Heard | null, message: ProgressMessage, at: Moment): Heard | 'stale' | 'foreign' {
  if (message.region !== at.self.peer) return 'foreign';
  const known = sameLife(heard, message);
  if (known === 'stale') return 'stale';
  const ownBaseMs = at.nowMs - at.monotonicMs;
  const before = known && onOwnClock(known, ownBaseMs);
  const ours = oursIn(message, at.self);
  const { samples, ...rest } = measured(before, { message, ours, at });
  const clockOffset = heldOffset(samples, at.nowMs);
  const progress: PeerProgress = {
    peer: at.self.peer,
    peerIncarnation: message.incarnation,
    settled: ours?.settled ?? null,
    settledBeat: ours?.settledBeat ?? null,
    echoedBeat: ours?.echo?.number ?? null,
    heardAtMs: at.nowMs,
    publishedCount: isLate(message, clockOffset, at.nowMs) ? null : message.publishedCount,
    clockOffset,
    earlierOffsets: rest.history.earlier,
  };
  return { progress, samples, ...rest, ownBaseMs };
}

/** What it tells of its moment is not taken for what is now. */
function isLate({ publishedAtMs }: ProgressMessage, offset: ClockOffset | null, nowMs: number): boolean {
  return offset === null || nowMs - publishedAtMs - offset.offsetMs > mostTransitMs;
}

/** All offsets move with the own clock where that was set since it was looked at last. */
function onOwnClock(heard: Heard, ownBaseMs: number): Heard {
  const byMs = ownBaseMs - heard.ownBaseMs;
  if (Math.abs(byMs) < leastJumpMs) return heard;
  const samples = samplesWithOwnClockSet(heard.samples, byMs);
  return { ...heard, samples, history: withOwnClockSet(heard.history, byMs), ownBaseMs };
}

/** What is known without a further message: where the own clock was set, and which beats have arrived since the last one. */
function withoutMessage(heard: Heard, at: Moment): Heard {
  const ownBaseMs = at.nowMs - at.monotonicMs;
  const moved = onOwnClock(heard, ownBaseMs);
  const { samples } = moved;
  const held = heldOffset(samples, at.nowMs);
  const history = soughtUntil(moved, held, at);
  const isSame = moved === heard && untilBeats(history) === untilBeats(heard.history);
  const earlierOffsets = history.earlier;
  // What was heard before the clock was set back is not for that of now.
  const setBackMs = moved === heard ? 0 : Math.max(0, heard.ownBaseMs - ownBaseMs);
  const told = { ...heard.progress, heardAtMs: heard.progress.heardAtMs - setBackMs };
  const progress = isSame ? heard.progress : { ...told, clockOffset: held, earlierOffsets };
  return { ...moved, progress, history, ownBaseMs };
}

/** Seeking a jump moves nothing else, but those of the jumps before it as well. */
function untilBeats({ earlier }: OffsetHistory): string {
  return earlier.map(({ untilBeat }) => untilBeat).join(' ');
}

function soughtUntil(heard: Heard | null, held: ClockOffset | null, at: Moment): OffsetHistory {
  const { heardBeat, leaps } = at;
  return seekJump(heard?.history ?? noHistory, { leaps, heardBeat, presentMs: held?.offsetMs ?? null });
}

/** `null`: this message starts a new life of the peer, nothing heard before holds. */
function sameLife(heard: Heard | null, message: ProgressMessage): Heard | null | 'stale' {
  if (heard === null) return null;
  const known = heard.progress.peerIncarnation;
  if (sameIncarnation(known, message.incarnation)) return heard;
  return message.incarnation.counter < known.counter ? 'stale' : null;
}

function oursIn(message: ProgressMessage, self: ReaderIdentity): OriginProgress | null {
  const told = message.origins.find((entry) => entry.origin === self.region);
  if (told === undefined) return null;
  return sameIncarnation(told.incarnation, self.incarnation) ? told : null;
}

interface Measuring {
  readonly message: ProgressMessage;
  readonly ours: OriginProgress | null;
  readonly at: Moment;
}

type Measured = Pick<Heard, 'samples' | 'history' | 'agreedBeat' | 'isRecalled'>;

function measured(heard: Heard | null, input: Measuring): Measured {
  const { heardBeat, leaps } = input.at;
  const before = heard?.samples ?? [];
  const { isRecalled = false, agreedBeat = -1 } = heard ?? {};
  const held = heldOffset(before, input.at.nowMs);
  const history = soughtUntil(heard, held, input.at);
  const sample = freshSample(heard, input);
  if (sample === null) return { samples: before, history, agreedBeat, isRecalled };
  const samples = addSample(before, sample);
  const byMs = jumpMsBefore(held, sample) ?? 0;
  // The peer's clock set ahead, or the own one set back: by the latter every beat is older, so none is told as too young.
  if (isRecalled && byMs >= leastJumpMs)
    return { samples, history: withOwnClockSet(history, -byMs), agreedBeat, isRecalled: false };
  const offsetMs = held?.offsetMs ?? sample.offsetMs;
  const isJump = Math.abs(byMs) >= leastJumpMs && heardBeat !== null;
  const { publishedAtMs: toldAtMs } = input.message;
  const errorMs = sample.errorMs + (held?.errorMs ?? 0);
  const jump = { offsetMs, byMs, errorMs, agreedBeat, toldAtMs, presentMs: sample.offsetMs };
  const isAgreed = !isJump && held !== null && !mayHideJump(held, sample) && heardBeat !== null;
  return {
    samples,
    history: isJump ? addJump(history, { ...jump, heardBeat }, leaps) : history,
    agreedBeat: isAgreed && heardBeat.beat.atMs <= toldAtMs ? heardBeat.beat.number : agreedBeat,
    isRecalled: isRecalled && mayHideJump(heldOffset(samples, input.at.nowMs), sample),
  };
}

/** An older measurement holds on, and between what the two may be wrong by there is room for a jump. */
function mayHideJump(held: ClockOffset | null, sample: ClockOffset): boolean {
  if (held === null || held === sample) return false;
  return errorNow(held, sample.measuredAtMs) + sample.errorMs >= leastJumpMs;
}

/** `null`: the echo was told before, speaks of another clock than the present one, or its times contradict each other. */
function freshSample(heard: Heard | null, { message, ours, at }: Measuring): ClockOffset | null {
  const echo = ours?.echo ?? null;
  if (echo === null || echo.number === heard?.progress.echoedBeat || echo.number < at.firstBeat) return null;
  return sampleOf({
    t0: echo.atMs,
    t1: echo.receivedAtMs,
    t2: message.publishedAtMs,
    t3: at.nowMs,
  });
}

export interface ProgressReaderOptions {
  readonly self: ReaderIdentity;
  readonly subscription: FeedSubscription;
  readonly beats: Pick<BeatStore, 'storePeerProgress' | 'overview'>;
  /** Shared with the appliers, which note into it. */
  readonly heardBeats: Pick<HeardBeats, 'newest' | 'leaps'>;
  readonly clock: Clock;
  readonly timer: Pick<Timer, 'monotonicMs'>;
  /** Of this process, also by readers before this one. */
  readonly ours: OwnStores;
  /** Every message of the peer that counts, with what it says of all origins. */
  readonly onTold: (message: ProgressMessage) => void;
  readonly logger: Logger;
}

export interface ReaderState {
  readonly heard: Heard | null;
  /** Messages dropped since the start, by reason. */
  readonly dropped: {
    readonly malformed: number;
    readonly foreign: number;
    readonly stale: number;
  };
  /** What the last use of database or clock failed with; `null` once one succeeded after it. */
  readonly failure: ReplicationError | null;
  /** Why the newest message was dropped; `null`: it counts. One of an earlier life is nothing to speak of. */
  readonly refusal: ReplicationError | null;
}

export class ProgressReader {
  readonly #options: ProgressReaderOptions;
  readonly #dropped = { malformed: 0, foreign: 0, stale: 0 };
  #heard: Heard | null = null;
  /** What the database has of it. */
  #stored: PeerProgress | null = null;
  /** The own clock minus the monotonic one; `null`: the tables were not looked at yet. */
  #ownBaseMs: number | null = null;
  #firstBeat = 0;
  /** One store at a time, so that an older one never comes last. */
  #turn: Promise<void> = Promise.resolve();
  readonly #keeping: Trouble;
  readonly #reading: Trouble;

  constructor(options: ProgressReaderOptions) {
    this.#options = options;
    const { logger, self } = options;
    const of = { logger, fields: { peer: self.peer } };
    const kept = {
      fails: 'the progress of a peer cannot be kept; told again',
      works: 'the progress of a peer is kept again',
    };
    const read = {
      fails: 'the progress of a peer is dropped; nobody here knows how far it is',
      works: 'the progress of a peer is read again',
    };
    this.#keeping = new Trouble({ ...of, ...kept });
    this.#reading = new Trouble({ ...of, ...read });
  }

  get state(): ReaderState {
    return {
      heard: this.#heard,
      dropped: { ...this.#dropped },
      failure: this.#keeping.failure,
      refusal: this.#reading.failure,
    };
  }

  /** Reads until the subscription is closed, by whoever opened it. */
  async run(): Promise<void> {
    const { subscription } = this.#options;
    for (;;) {
      const batch = await subscription.next();
      if (batch === null) return;
      await this.#take(batch);
    }
  }

  /**
   * To be called often: a jump of the own clock is known without the peer, and moves every offset at once, however long
   * nothing comes from there; between which beats a peer's clock was set is seen at its beats, which come where its progress
   * does not (0050). Stores what the database refused before.
   */
  noticeClocks(): Promise<void> {
    return this.#inTurn(() => {
      const heard = this.#heard;
      if (heard !== null) this.#heard = withoutMessage(heard, this.#moment(heard.progress.peerIncarnation));
    });
  }

  #take(batch: FeedBatch): Promise<void> {
    return this.#inTurn(() => {
      for (const record of batch.records) this.#hear(record.bytes);
    });
  }

  #inTurn(change: () => void): Promise<void> {
    this.#turn = this.#turn.then(() => this.#storeAfter(change));
    return this.#turn;
  }

  async #storeAfter(change: () => void): Promise<void> {
    try {
      await this.#look();
      change();
      const heard = this.#heard;
      if (heard !== null) {
        const { progress } = heard;
        if (progress !== this.#stored) await this.#options.beats.storePeerProgress(progress);
        this.#stored = progress;
        this.#options.ours.note(heard);
      }
      this.#keeping.worked();
    } catch (error) {
      this.#keeping.failed(error);
    }
  }

  /** At the start, and whenever the own clock has been set since: which own beats there are by then. */
  async #look(): Promise<void> {
    const { beats, clock, timer } = this.#options;
    const ownBaseMs = clock.nowMs() - timer.monotonicMs();
    if (this.#ownBaseMs === null || Math.abs(ownBaseMs - this.#ownBaseMs) >= leastJumpMs) {
      const { own, progress } = await beats.overview();
      if (this.#ownBaseMs === null) this.#recall(progress, ownBaseMs);
      this.#firstBeat = (own.newest?.number ?? 0) + 1;
    }
    this.#ownBaseMs = ownBaseMs;
  }

  /** A restart must not forget the measured offset, nor an incarnation that was already heard. */
  #recall(stored: readonly PeerProgress[], ownBaseMs: number): void {
    const known = stored.find(({ peer }) => peer === this.#options.self.peer);
    if (known === undefined) return;
    const last = this.#options.ours.asKnown(known);
    this.#heard = {
      progress: known,
      samples: known.clockOffset === null ? [] : [known.clockOffset],
      history: { earlier: known.earlierOffsets, sought: [] },
      ownBaseMs: last?.ownBaseMs ?? ownBaseMs,
      agreedBeat: -1,
      isRecalled: last?.isRecalled ?? true,
    };
    this.#stored = known;
  }

  #hear(bytes: Uint8Array): void {
    const message = this.#decoded(bytes);
    if (message === null) return;
    const heard = stepHeard(this.#heard, message, this.#moment(message.incarnation));
    if (heard === 'foreign') this.#reading.failed(foreign(message.region));
    if (heard === 'stale' || heard === 'foreign') {
      this.#dropped[heard]++;
      return;
    }
    this.#reading.worked();
    this.#heard = heard;
    this.#options.onTold(message);
  }

  #decoded(bytes: Uint8Array): ProgressMessage | null {
    try {
      return decodeProgress(bytes);
    } catch (error) {
      this.#reading.failed(error);
      this.#dropped.malformed++;
      return null;
    }
  }

  /** Beats of another life of the peer say nothing about its clock now. */
  #moment(incarnation: Incarnation): Moment {
    const { self, clock, timer, heardBeats } = this.#options;
    const newest = heardBeats.newest(self.peer);
    const isOfThisLife = newest !== null && sameIncarnation(newest.incarnation, incarnation);
    return {
      self,
      nowMs: clock.nowMs(),
      monotonicMs: timer.monotonicMs(),
      heardBeat: isOfThisLife ? newest : null,
      leaps: isOfThisLife ? heardBeats.leaps(self.peer) : [],
      firstBeat: this.#firstBeat,
    };
  }
}

function foreign(region: RegionId): ReplicationError {
  return new ReplicationError('malformed-record', `the message is of the region ${region}`, {
    retriable: false,
  });
}
