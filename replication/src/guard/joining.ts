/**
 * Keeps a region that is new from taking writes before it has what its peers have (P6): callers would read an empty region
 * as if their records were gone, and write over what they have not seen. It waits for every peer that answers and has ever
 * written, in whichever life, until all that this peer had written by then is settled here and nothing of its lives before is
 * awaited, and for every peer that answers and does not name this region among its own, which would never read what is
 * written here, until it does. A peer that is silent is asked again for some seconds, because it may be starting anew, and then
 * not waited for; nor is one that has written nothing, or is gone for good. So a fleet that starts fresh writes once its
 * regions have met, and a region whose peers are out of reach writes all the same. It never stops writes again.
 */
import type { BeatStore } from '../ports/beat-store.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Mark } from '../ports/incident-store.ts';
import type { JoiningStore } from '../ports/joining-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { PeerClient } from '../ports/peer-client.ts';
import type { PositionRow } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import { Turns } from '../turns.ts';

export interface JoiningOptions {
  readonly peers: readonly RegionId[];
  readonly partitionCount: number;
  readonly store: JoiningStore;
  readonly client: Pick<PeerClient, 'ping'>;
  readonly beats: Pick<BeatStore, 'overview'>;
  /** Peers that are gone for good, as far as is known: nothing more of them is ever settled here. */
  readonly closed: () => readonly RegionId[];
  readonly timer: Timer;
  readonly logger: Logger;
}

const intervalMs = 500;
/** How long a peer that has never answered is asked, as after a new incarnation (0078). */
const patienceMs = 5000;

export class Joining {
  readonly #options: JoiningOptions;
  readonly #turns: Turns;
  /** What has to be settled of each peer that answered; `null`: nothing any more. */
  readonly #awaited = new Map<RegionId, Mark | null>();
  readonly #notNamedBy = new Set<RegionId>();
  /** Peers that have not answered yet and are asked again. */
  readonly #silent = new Set<RegionId>();
  #sinceMs: number | null = null;
  #hasJoined = false;

  constructor(options: JoiningOptions) {
    this.#options = options;
    const ifNot = 'whether this region has joined is looked at again';
    this.#turns = new Turns({ ...options, intervalMs, ifNot, turn: () => this.#turn() });
  }

  /** Whom writes wait for; empty: nobody. Before the first look nobody is known, so writes wait for all. */
  get waitsFor(): readonly RegionId[] {
    if (this.#hasJoined) return [];
    const { peers } = this.#options;
    if (this.#awaited.size === 0) return peers;
    return peers.filter((peer) => this.#isAwaited(peer));
  }

  /** Those of them that do not name this region among their peers. */
  get notNamedBy(): readonly RegionId[] {
    return this.waitsFor.filter((peer) => this.#notNamedBy.has(peer));
  }

  start(): void {
    this.#turns.start();
  }

  stop(): Promise<void> {
    return this.#turns.stop();
  }

  /** Resolves when every peer was asked. */
  look(): Promise<void> {
    return this.#turns.now();
  }

  /** On an operator's word: nobody is waited for any more. */
  async skip(): Promise<void> {
    await this.#options.store.joined();
    this.#hasJoined = true;
  }

  async #turn(): Promise<void> {
    // A ticker that is stopped within a run starts no other.
    if (this.#hasJoined) return void this.stop();
    const { peers, store, timer, logger } = this.#options;
    this.#hasJoined = !(await store.isJoining());
    if (this.#hasJoined) return;
    const isFirst = this.#awaited.size === 0;
    this.#sinceMs ??= timer.monotonicMs();
    const isLast = timer.monotonicMs() - this.#sinceMs >= patienceMs;
    await Promise.all(peers.map((peer) => this.#ask(peer, { isFirst, isLast })));
    const { waitsFor, notNamedBy } = this;
    if (waitsFor.length > 0) {
      if (isFirst) logger.info({ waitsFor }, 'this region joins; writes wait for what peers have');
      if (isFirst && notNamedBy.length > 0)
        logger.warn(
          { notNamedBy },
          'peers do not name this region; writes wait until they are configured with it',
        );
      return;
    }
    await store.joined();
    this.#hasJoined = true;
    logger.info({}, 'this region has joined; it takes writes');
  }

  /** `isLast`: whoever is silent now was asked for long enough. */
  async #ask(
    peer: RegionId,
    { isFirst, isLast }: { readonly isFirst: boolean; readonly isLast: boolean },
  ): Promise<void> {
    const { client, closed } = this.#options;
    if (!isFirst && !this.#isAwaited(peer)) return;
    const echo = await client.ping(peer);
    const isClosed = closed().includes(peer);
    const isUnheard = echo === null && (isFirst || this.#silent.has(peer));
    if (isUnheard && !isLast && !isClosed) this.#silent.add(peer);
    else this.#silent.delete(peer);
    if (isClosed || (echo !== null && echo.namesCaller !== false)) this.#notNamedBy.delete(peer);
    else if (echo !== null) this.#notNamedBy.add(peer);
    const awaited = latest(this.#awaited.get(peer) ?? null, echo?.written ?? null);
    const isDone = awaited === null || isClosed;
    this.#awaited.set(peer, isDone || (await this.#hasSettled(peer, awaited)) ? null : awaited);
  }

  /** A life whose past is awaited here has settled no beat (`BeatStore`). */
  async #hasSettled(peer: RegionId, mark: Mark): Promise<boolean> {
    const { beats, partitionCount } = this.#options;
    const { positions } = await beats.overview();
    return covers(
      positions.filter(({ origin }) => origin === peer),
      mark,
      partitionCount,
    );
  }

  #isAwaited(peer: RegionId): boolean {
    return this.#silent.has(peer) || this.#notNamedBy.has(peer) || (this.#awaited.get(peer) ?? null) !== null;
  }
}

/** What was heard first stays, or it would move on for ever; another life of the peer replaces it. */
function latest(known: Mark | null, written: Mark | null): Mark | null {
  const heard = written === null || hasWrittenNothing(written) ? null : written;
  if (known === null || heard === null) return known ?? heard;
  return sameIncarnation(known.incarnation, heard.incarnation) ? known : heard;
}

/** Counts begin at 0 in each life. */
function hasWrittenNothing({ incarnation, count }: Mark): boolean {
  return count === 0 && incarnation.counter === 1;
}

function covers(rows: readonly PositionRow[], { incarnation, beat }: Mark, partitionCount: number): boolean {
  const own = rows.filter((row) => sameIncarnation(row.incarnation, incarnation));
  return own.length === partitionCount && own.every((row) => (row.beat?.number ?? -1) >= beat);
}
