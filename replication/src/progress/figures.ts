/**
 * Everything that lag and RPO are computed from, read from the own tables, so that every process of a region exports
 * the same numbers (P7). A reading is bounded in time and shared by those who ask meanwhile; where it fails, what was
 * read last serves on, because moments do not go stale: computed against the present they only show older lag and
 * RPO, never younger. Counts that may have changed since are the caller's to withhold, by `isCurrent`.
 */
import { ReplicationError } from '../errors.ts';
import type {
  BeatStore,
  ClockOffset,
  EarlierOffset,
  HeardBeat,
  Overview,
  OwnBeats,
  PeerProgress,
  RpoFigures,
} from '../ports/beat-store.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { DeadLetterCount, RecordStore } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import { type Lag, type ToldCount, lagOf } from './lag.ts';
import { type Rpo, rpoOfLog, rpoOfPeer } from './rpo.ts';
import { type SettledPositions, settledPositions } from './settled-positions.ts';

export interface PeerFigures {
  readonly peer: RegionId;
  readonly positions: SettledPositions | null;
  readonly heard: HeardBeat | null;
  readonly told: ToldCount | null;
  readonly rpo: RpoFigures | null;
  readonly clockOffset: ClockOffset | null;
  readonly earlierOffsets: readonly EarlierOffset[];
}

export interface Figures {
  readonly own: OwnBeats;
  readonly peers: readonly PeerFigures[];
  readonly deadLetters: readonly DeadLetterCount[];
  /** When they were read, by the timer. */
  readonly readAtMs: number;
}

export interface PeerView {
  readonly peer: RegionId;
  readonly rpo: Rpo;
  readonly lag: Lag;
  readonly clockOffset: ClockOffset | null;
}

export function viewPeer(figures: Figures, peer: PeerFigures, nowMs: number): PeerView {
  const { positions, heard, told, clockOffset, earlierOffsets } = peer;
  return {
    peer: peer.peer,
    rpo: rpoOfPeer(peer.rpo, figures.own, nowMs),
    lag: lagOf({ positions, heard, told, clockOffset, earlierOffsets, nowMs }),
    clockOffset,
  };
}

export function viewLog(figures: Figures, nowMs: number): Rpo {
  return rpoOfLog(figures.own, nowMs);
}

export interface FigureReaderOptions {
  readonly peers: readonly RegionId[];
  readonly partitionCount: number;
  readonly beats: Pick<BeatStore, 'overview'>;
  readonly records: Pick<RecordStore, 'countDeadLetters'>;
  readonly timer: Timer;
  readonly timeoutMs: number;
}

export interface FiguresRead {
  /** `null`: never read in this process. */
  readonly figures: Figures | null;
  /** False where the tables did not answer now and older figures serve. */
  readonly isCurrent: boolean;
  /** Time since the figures were read; `null` without any. */
  readonly ageMs: number | null;
}

export class FigureReader {
  readonly #options: FigureReaderOptions;
  #last: Figures | null = null;
  #reading: Promise<boolean> | null = null;

  constructor(options: FigureReaderOptions) {
    this.#options = options;
  }

  /** What was read last, without waiting; `null` before the first reading. */
  get last(): Figures | null {
    return this.#last;
  }

  async read(): Promise<FiguresRead> {
    this.#reading ??= this.#refresh().finally(() => {
      this.#reading = null;
    });
    const isCurrent = await this.#bounded(this.#reading);
    const readAtMs = this.#last?.readAtMs ?? null;
    const ageMs = readAtMs === null ? null : this.#options.timer.monotonicMs() - readAtMs;
    return { figures: this.#last, isCurrent, ageMs };
  }

  async #bounded(reading: Promise<boolean>): Promise<boolean> {
    const { timer, timeoutMs } = this.#options;
    const { promise, cancel } = expiry(timer, timeoutMs);
    const isCurrent = await Promise.race([reading, promise]);
    cancel();
    return isCurrent;
  }

  async #refresh(): Promise<boolean> {
    try {
      this.#last = await this.#readAll();
      return true;
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      return false;
    }
  }

  async #readAll(): Promise<Figures> {
    const { beats, records, peers, partitionCount, timer } = this.#options;
    const readAtMs = timer.monotonicMs();
    const [overview, deadLetters] = await Promise.all([beats.overview(), records.countDeadLetters()]);
    const of = (peer: RegionId) => figuresOf(peer, overview, partitionCount);
    return { own: overview.own, peers: peers.map(of), deadLetters, readAtMs };
  }
}

function figuresOf(peer: RegionId, overview: Overview, partitionCount: number): PeerFigures {
  const told = overview.progress.find((each) => each.peer === peer);
  const rows = overview.positions.filter(({ origin }) => origin === peer);
  const positions = settledPositions(rows, partitionCount);
  return {
    peer,
    positions,
    heard: overview.heard.find(({ origin }) => origin === peer) ?? null,
    told: told === undefined ? null : toldCount(told),
    rpo: overview.rpo.find((figures) => figures.peer === peer) ?? null,
    clockOffset: told?.clockOffset ?? null,
    earlierOffsets: earlierOffsetsOf(positions, told),
  };
}

function toldCount({ peerIncarnation, publishedCount, heardAtMs }: PeerProgress): ToldCount | null {
  if (publishedCount === null) return null;
  return { incarnation: peerIncarnation, count: publishedCount, receivedAtMs: heardAtMs };
}

/** They are told by numbers of beats, which begin anew with each life of the peer. */
function earlierOffsetsOf(
  positions: SettledPositions | null,
  told: PeerProgress | undefined,
): readonly EarlierOffset[] {
  if (positions === null || told === undefined) return [];
  return sameIncarnation(positions.incarnation, told.peerIncarnation) ? told.earlierOffsets : [];
}

function expiry(timer: Timer, timeoutMs: number): { promise: Promise<false>; cancel: () => void } {
  let cancel: () => void = () => undefined;
  const promise = new Promise<false>((resolve) => {
    cancel = timer.after(timeoutMs, () => resolve(false));
  });
  return { promise, cancel };
}
