/**
 * Beats, counts and progress in the own database: everything that lag and RPO are computed from, so that every
 * process of the region can export the same numbers (P7). One process per region writes beats, chosen by an
 * advisory lock that falls with its connection.
 */
import type { Beat, CountedBeat, Lsn } from './change.ts';
import type { Incarnation, RegionId } from './identity.ts';
import type { PositionRow } from './record-store.ts';

export interface BeatHold {
  /** Commits one beat synchronously and emits it; rejects with `database-unavailable` when the hold is lost. */
  beat(): Promise<void>;
  release(): Promise<void>;
}

/** How far the own clock is ahead of a peer's, measured over echoes; negative where it is behind (P7). */
export interface ClockOffset {
  readonly offsetMs: number;
  /** The true offset at the measurement lies within this much of `offsetMs`. */
  readonly errorMs: number;
  /** Own clock. */
  readonly measuredAtMs: number;
}

/** How far the own clock was ahead of a peer's when the peer made its beats up to this one, before its clock was set. */
export interface EarlierOffset {
  readonly offsetMs: number;
  readonly untilBeat: number;
}

/** What a peer told about our changes in its last progress, and when we heard it (own clock). */
export interface PeerProgress {
  readonly peer: RegionId;
  readonly peerIncarnation: Incarnation;
  /** Settled position of our current incarnation for each partition; `null`: none told. */
  readonly settled: readonly Lsn[] | null;
  /** Newest of our beats that the peer has settled in all partitions; `null`: none. */
  readonly settledBeat: number | null;
  /** Newest of our beats that the peer had received. */
  readonly echoedBeat: number | null;
  readonly heardAtMs: number;
  /** Changes that the peer's own log held then, counted as its beats count them; `null`: not told. */
  readonly publishedCount: number | null;
  /** `null`: never measured. Stored, so that every process knows it and a restart does not forget it. */
  readonly clockOffset: ClockOffset | null;
  /** Oldest first, bounded. Stored for the same reason. */
  readonly earlierOffsets: readonly EarlierOffset[];
}

/** Newest beat of a peer that has arrived here, applied or not. */
export interface HeardBeat {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  readonly beat: CountedBeat;
  /** Own clock. */
  readonly receivedAtMs: number;
}

/** A beat of one life of a region. */
export interface BeatOf {
  readonly region: RegionId;
  readonly incarnation: Incarnation;
  readonly beat: CountedBeat;
}

/** The raw figures of the origin's side of P7. */
export interface RpoFigures {
  readonly peer: RegionId;
  /** Time of the newest counted beat with the count that the peer has settled; `null`: the peer was never heard. */
  readonly coveredAtMs: number | null;
  /** Own changes before the peer's newest settled beat; `null`: not counted. */
  readonly settledCount: number | null;
}

export interface OwnBeats {
  /** Perhaps not decoded yet: it has neither count nor end before the relay has seen it. */
  readonly newest: Beat | null;
  /** Its time is by the clock as it goes now, however that was set back since. */
  readonly newestCounted: CountedBeat | null;
  /**
   * The figures of P7 for `peer="log"`, of the newest beat that the own log holds in all partitions with everything
   * before it. After a lost slot that is one from before the loss, until a peer has settled beyond the beginning of the
   * new slot and so holds what the log lacks.
   */
  readonly logCoveredAtMs: number | null;
  readonly logCount: number | null;
}

/** Where this region and its peers stand. */
export interface Overview {
  /** One of each peer that is configured or was ever heard, in order. Read before `own`, so that no count here exceeds the newest there. */
  readonly rpo: readonly RpoFigures[];
  readonly own: OwnBeats;
  /** In order of their origins. */
  readonly heard: readonly HeardBeat[];
  /**
   * In order of the peers. Who is known here under a later life than the one that it told this in has settled nothing, as
   * far as anybody knows before it tells something again: here, in `rpo` and in `own`.
   */
  readonly progress: readonly PeerProgress[];
  /** Of all origins and their incarnations, in order. Lives whose region's past is awaited have settled no beat (P9). */
  readonly positions: readonly PositionRow[];
}

export interface BeatStore {
  /** `null` while another process holds the lock. */
  tryHold(): Promise<BeatHold | null>;
  /**
   * For a process that stands by, now and then: whoever has seen how another's beats come can tell, at the first one of its
   * own, by how much the clock was set back meanwhile (P7).
   */
  look(): Promise<void>;
  /**
   * The own log holds these beats, oldest first, in all partitions. One commit makes their counts durable; the relay
   * confirms only beats stored here (P2).
   */
  storePublished(beats: readonly CountedBeat[]): Promise<void>;
  /** Count stored with the beat whose commit ended at `end`; `null`: none, count from zero at the slot's start. */
  countAt(end: Lsn): Promise<number | null>;
  /**
   * A new incarnation, the peer's or ours, replaces what was stored of that peer, also by lower figures: never the
   * maximum of both (P7). Within one nothing goes back, whatever order messages come in, but for the settled beat where
   * the peer says later that it has none (P9); what echoes an older beat was told before.
   */
  storePeerProgress(progress: PeerProgress): Promise<void>;
  /**
   * Stores what was heard in a synchronous commit and returns the positions of all origins as they were before it, so
   * that each of them is durable (P4). Lives whose region's past is awaited have settled no beat (P9). It writes something also where the list is empty: a commit that writes nothing
   * flushes nothing.
   */
  storeHeard(heard: readonly HeardBeat[]): Promise<readonly PositionRow[]>;
  /** One round trip, for those who look again and again. */
  overview(): Promise<Overview>;
  /** Time of one of our beats; `null`: no longer kept. */
  beatAtMs(number: number): Promise<number | null>;
  /** Drops beats that nobody needs any more; returns how many. */
  prune(): Promise<number>;
}
