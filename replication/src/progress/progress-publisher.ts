/**
 * Tells every origin, once per beat interval, how far this region holds its changes. What is told is durable here
 * first: a synchronous commit that writes something reads the positions and makes them durable (they may have been
 * applied with an asynchronous one), and only then is the message published (P4). A step that fails ends
 * the turn: nothing is told that was not made durable, and the next turn reads afresh. What an earlier process of
 * this region heard is taken up before the first message, so a restart does not take an echo back; whether the clock was
 * set since is not known, so it counts as received now, which makes the peer's measurement coarse and never wrong. Where
 * the own clock was set during a turn the next turn tells instead, because an echo's two times must be of one clock.
 * Where the log has taken nothing for a while its topics are looked at and those that are gone made anew.
 */
import type { ReplicationError } from '../errors.ts';
import type { BarrierWord } from '../log/barrier-word.ts';
import { encodeProgress, type OriginProgress } from '../log/progress-record.ts';
import type { BeatStore, HeardBeat } from '../ports/beat-store.ts';
import type { CountedBeat } from '../ports/change.ts';
import type { ChangeSink } from '../ports/change-sink.ts';
import type { Clock } from '../ports/clock.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { PositionRow } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import { Trouble } from '../trouble.ts';
import { beatIntervalMs } from './beat-interval.ts';
import { leastJumpMs } from './earlier-offsets.ts';
import type { HeardBeats } from './heard-beats.ts';
import { type SettledPositions, settledPositions } from './settled-positions.ts';

/** A beat that is older was not the newest when it was published, or nothing has been published since. */
const youngMs = 2 * beatIntervalMs;
/** One message in so many that the log may not have taken. */
const triesUntilPreparing = 8;

export interface ProgressPublisherOptions {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly origins: readonly RegionId[];
  readonly partitionCount: number;
  readonly beats: Pick<BeatStore, 'storeHeard' | 'overview'>;
  readonly sink: Pick<ChangeSink, 'prepare' | 'publishProgress'>;
  /** What is said of barriers; whatever it promises is durable before it is told. */
  readonly barriers: { readonly word: () => Promise<BarrierWord> };
  /** Newest beat that the own log holds; `null`: not known. */
  readonly relay: { readonly published: Pick<CountedBeat, 'count' | 'atMs'> | null };
  /** Shared with the appliers, which note into it. */
  readonly heardBeats: HeardBeats;
  readonly clock: Clock;
  readonly timer: Timer;
  readonly logger: Logger;
}

export class ProgressPublisher {
  readonly #options: ProgressPublisherOptions;
  readonly #ticker: Ticker;
  #recalled = false;
  /** Since the log took one. */
  #tries = 0;
  readonly #trouble: Trouble;

  constructor(options: ProgressPublisherOptions) {
    this.#options = options;
    this.#trouble = new Trouble({
      logger: options.logger,
      fails: 'peers do not hear of the progress of this region; tried again',
      works: 'the progress of this region is published again',
    });
    this.#ticker = new Ticker({
      timer: options.timer,
      intervalMs: beatIntervalMs,
      run: () => this.#turn(),
    });
  }

  /** `null`: the log took the last message. */
  get failure(): ReplicationError | null {
    return this.#trouble.failure;
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  async #turn(): Promise<void> {
    try {
      await this.#recall();
      await this.#publish();
      this.#trouble.worked();
    } catch (error) {
      this.#trouble.failed(error);
    }
  }

  async #recall(): Promise<void> {
    if (this.#recalled) return;
    const { beats, heardBeats, clock } = this.#options;
    const { heard } = await beats.overview();
    const receivedAtMs = clock.nowMs();
    for (const each of heard) heardBeats.note({ ...each, receivedAtMs });
    this.#recalled = true;
  }

  async #publish(): Promise<void> {
    const { region, incarnation, barriers, beats, clock, timer } = this.#options;
    const ownBaseMs = clock.nowMs() - timer.monotonicMs();
    const heard = this.#options.heardBeats.all();
    const word = await barriers.word();
    const origins = this.#settled(heard, await beats.storeHeard(heard));
    const publishedAtMs = clock.nowMs();
    if (Math.abs(publishedAtMs - timer.monotonicMs() - ownBaseMs) >= leastJumpMs) return;
    const publishedCount = this.#countOfLog(publishedAtMs);
    const message = { region, incarnation, publishedAtMs, publishedCount, origins, barriers: word };
    await this.#send(encodeProgress(message));
  }

  /** `null` where the log has taken nothing new for a while: nobody would know of what waits before it. */
  #countOfLog(nowMs: number): number | null {
    const { published } = this.#options.relay;
    const isYoung = published !== null && Math.abs(nowMs - published.atMs) <= youngMs;
    return isYoung ? published.count : null;
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { sink, partitionCount } = this.#options;
    this.#tries += 1;
    if (this.#tries % triesUntilPreparing === 0) await sink.prepare(partitionCount);
    await sink.publishProgress(bytes);
    this.#tries = 0;
  }

  #settled(heard: readonly HeardBeat[], rows: readonly PositionRow[]): readonly OriginProgress[] {
    const { origins, partitionCount } = this.#options;
    const told = origins.map((origin) => {
      const own = rows.filter((row) => row.origin === origin);
      const beat = heard.find((candidate) => candidate.origin === origin);
      return originProgress(origin, settledPositions(own, partitionCount), beat ?? null);
    });
    return told.filter((entry) => entry !== null);
  }
}

/** What to tell one origin; `null` while nothing of it has ever reached us. */
export function originProgress(
  origin: RegionId,
  positions: SettledPositions | null,
  heard: HeardBeat | null,
): OriginProgress | null {
  const incarnation = tellIncarnation(positions, heard);
  if (incarnation === null) return null;
  const settled = ofIncarnation(positions, incarnation);
  const echoed = ofIncarnation(heard, incarnation);
  return {
    origin,
    incarnation,
    settled: settled?.settled ?? null,
    settledBeat: settled?.beat?.number ?? null,
    echo: echoed === null ? null : echoOf(echoed),
  };
}

function tellIncarnation(positions: SettledPositions | null, heard: HeardBeat | null): Incarnation | null {
  if (positions === null) return heard?.incarnation ?? null;
  if (heard === null) return positions.incarnation;
  const isHeardNewer = heard.incarnation.counter > positions.incarnation.counter;
  return isHeardNewer ? heard.incarnation : positions.incarnation;
}

function ofIncarnation<T extends { readonly incarnation: Incarnation }>(
  value: T | null,
  incarnation: Incarnation,
): T | null {
  if (value === null) return null;
  return sameIncarnation(value.incarnation, incarnation) ? value : null;
}

function echoOf(heard: HeardBeat): OriginProgress['echo'] {
  const { number, atMs } = heard.beat;
  return { number, atMs, receivedAtMs: heard.receivedAtMs };
}
