/**
 * Peers as witnesses, for a region whose log lies in its own database and goes back in time with it (P1). A peer that has
 * received a beat which the database does not hold, or holds with another place or time, or one of another life, proves that the
 * database is not its own past; beats that go on arriving there prove that somebody else lives. What no peer has received
 * nobody can miss, so the database continues its past once every peer has said so. A peer that is out of reach is waited
 * for a few seconds and then not any more, because a region writes alone (I8): but then nobody knows which dots that peer
 * holds, so the region goes on under a name that is in none of them. What a peer has said before stays said.
 */
import { pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import type { Lsn } from '../ports/change.ts';
import { type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { PeerMemory, RememberedBeat } from '../ports/peer-memory.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import type { Alarms, Evidence } from './evidence.ts';
import type { OwnLogProofOptions, Verdict } from './own-log-proof.ts';
import { otherBeats } from './other-beats.ts';
import { askPeers, otherLives, patienceMs, peerLookIntervalMs, type Testimony } from './peer-testimony.ts';

export interface PeerEvidenceOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly peers: readonly RegionId[];
  /** Of these, who is gone for good: others hold what is kept of it. */
  readonly closed: () => readonly RegionId[];
  readonly memory: PeerMemory;
  readonly past: Pick<IdentityStore, 'newestBeat' | 'insertLsn' | 'recoveredTo' | 'beats' | 'standing'>;
  readonly timer: Timer;
  readonly logger: Logger;
}

export class PeerEvidence implements Evidence {
  readonly #options: PeerEvidenceOptions;
  readonly #end = new AbortController();
  readonly #ticker: Ticker;
  #alarms: Alarms = { onForeign: async () => undefined, onOtherLife: async () => undefined };
  /** What each has said last. */
  readonly #told = new Map<RegionId, Testimony>();
  /** Who has answered since the server was started anew, and when last. */
  readonly #answeredAtMs = new Map<RegionId, number>();
  /** Who knew the region under an earlier life at the last look, and its newest beat of that. */
  readonly #earlier = new Map<RegionId, RememberedBeat>();
  /** A place within the present life; `null`: not known yet. */
  #bornAt: Lsn | null = null;
  /** When a peer last answered, or was first asked. */
  #heardAtMs: number | null = null;
  /** Since when the comparison waits for somebody who does not answer. */
  #waitingSinceMs: number | null = null;

  constructor(options: PeerEvidenceOptions) {
    const { timer, logger } = options;
    this.#options = options;
    const run = orNextTurn(
      () => this.#look(),
      (err) => logger.debug({ err }, 'what peers remember of us is asked again'),
    );
    this.#ticker = new Ticker({ timer, intervalMs: peerLookIntervalMs, run });
  }

  start(alarms: Alarms): void {
    this.#alarms = alarms;
    this.#ticker.start();
  }

  stop(): Promise<void> {
    this.#end.abort();
    return this.#ticker.stop();
  }

  /** Nothing is written before the database is proven. */
  async prepare(): Promise<void> {}

  async compare(): Promise<Verdict> {
    await this.#askStanding();
    const told = [...this.#told.values()];
    // Not where the log ends by now: a start writes more to it, within seconds, than was lost with a standby that lagged.
    const end = await this.#options.past.recoveredTo();
    const reason = this.#otherLife(told) ?? (await this.#otherBeat(told, end));
    if (reason !== null) return { kind: 'broken', reason };
    const silent = this.#silent();
    if (silent.length === 0) {
      this.#settle();
      return { kind: 'continues', readRecords: 0 };
    }
    const detail = `${silent.join(', ')} does not say what it remembers of this region`;
    if (!this.#isPatienceOver()) throw unavailable(detail);
    return { kind: 'untold', reason: `${detail}, and may hold more than the database` };
  }

  /** As far as anybody can tell: who hears nobody for long enough goes on under a name that nobody else has. */
  async isAlone(forMs: number): Promise<boolean> {
    const { timer, past, peers } = this.#options;
    const before = await this.#askStanding();
    if (before.length === 0 && peers.length > 0) return this.#isUnheard();
    if (!(await pause(timer, forMs, this.#end.signal)))
      throw new ReplicationError('closed', 'nobody asks the peers any more', { retriable: false });
    const own = (await past.newestBeat()).beat?.number ?? 0;
    const after = await this.#askStanding();
    if (after.length === 0 && peers.length > 0) return this.#isUnheard();
    return after.every(({ peer, beat }) => {
      const earlier = before.find((each) => each.peer === peer)?.beat;
      return earlier === undefined || !hasMoved(earlier, beat, own);
    });
  }

  /** Mostly of what the comparison has heard, a moment ago. */
  async highestCounter(): Promise<number> {
    if (this.#told.size === 0) await this.#ask();
    const counters = [...this.#told.values()].map(({ beat }) =>
      beat === 'nothing' ? 0 : beat.incarnation.counter,
    );
    return Math.max(0, ...counters);
  }

  /** It would be what the restored database told once, and nothing of what came after. */
  async newestProgress(): Promise<null> {
    return null;
  }

  async #look(): Promise<void> {
    const { past, self } = this.#options;
    if (past.standing !== 'same') return;
    this.#settle();
    const answers = await this.#ask();
    const otherLife = this.#otherLife(answers);
    const end = await past.insertLsn();
    const reason = (await this.#otherBeat(answers, end)) ?? (await this.#survivor(answers));
    // A server that was set back between the question and the answers is compared, and nobody else is blamed for it.
    if (past.standing !== 'same') return;
    if (otherLife !== null) return this.#alarms.onOtherLife(otherLife);
    if (reason !== null) await this.#alarms.onForeign(`${reason}: another database writes as ${self.region}`);
  }

  /**
   * Where a life was taken that no peer could be asked about, another database may go on under the one before it, and be
   * the one that peers read. What they still read of this database lies before the present life.
   */
  async #survivor(answers: readonly Testimony[]): Promise<string | null> {
    const { self, past } = this.#options;
    this.#bornAt ??= (await past.newestBeat()).beat?.lsn ?? null;
    for (const { peer, beat } of answers) {
      const before = this.#earlier.get(peer);
      this.#earlier.delete(peer);
      if (beat === 'nothing' || beat.incarnation.counter >= self.incarnation.counter) continue;
      this.#earlier.set(peer, beat);
      if (before === undefined || beat.made === null || this.#bornAt === null) continue;
      const hasGoneOn = sameIncarnation(before.incarnation, beat.incarnation) && beat.number > before.number;
      if (hasGoneOn && beat.made.lsn > this.#bornAt)
        return `${peer} goes on receiving beats of incarnation ${beat.incarnation.counter}`;
    }
    return null;
  }

  /** Of a database that stands still: who answers has said all that it will ever hold of its past. */
  async #askStanding(): Promise<readonly Testimony[]> {
    const answers = await this.#ask();
    const nowMs = this.#options.timer.monotonicMs();
    for (const { peer } of answers) this.#answeredAtMs.set(peer, nowMs);
    return answers;
  }

  async #ask(): Promise<readonly Testimony[]> {
    const { timer } = this.#options;
    this.#heardAtMs ??= timer.monotonicMs();
    const answers = await askPeers(this.#options);
    for (const answer of answers) this.#told.set(answer.peer, answer);
    if (answers.length > 0) this.#heardAtMs = timer.monotonicMs();
    return answers;
  }

  /** The database writes from now on, so nothing that was answered before counts in another comparison. */
  #settle(): void {
    this.#waitingSinceMs = null;
    this.#answeredAtMs.clear();
  }

  #silent(): readonly RegionId[] {
    const { peers, closed, timer } = this.#options;
    const gone = closed();
    const sinceMs = timer.monotonicMs() - patienceMs;
    return peers.filter(
      (peer) => !gone.includes(peer) && (this.#answeredAtMs.get(peer) ?? -Infinity) < sinceMs,
    );
  }

  #isPatienceOver(): boolean {
    const nowMs = this.#options.timer.monotonicMs();
    this.#waitingSinceMs ??= nowMs;
    return nowMs - this.#waitingSinceMs >= patienceMs;
  }

  #isUnheard(): true {
    if (this.#options.timer.monotonicMs() - (this.#heardAtMs ?? Infinity) >= patienceMs) return true;
    throw unavailable('no peer says whether somebody else writes as this region');
  }

  async #otherBeat(testimonies: readonly Testimony[], end: Lsn): Promise<string | null> {
    const [found] = await otherBeats(testimonies, { ...this.#options, end });
    return found?.reason ?? null;
  }

  #otherLife(testimonies: readonly Testimony[]): string | null {
    return otherLives(testimonies, this.#options.self.incarnation)[0]?.reason ?? null;
  }
}

/** Own beats that were still on their way are nobody else's. */
function hasMoved(before: Testimony['beat'], after: Testimony['beat'], own: number): boolean {
  if (after === 'nothing') return false;
  if (before === 'nothing') return after.number > own;
  if (!sameIncarnation(before.incarnation, after.incarnation)) return true;
  return after.number > Math.max(before.number, own);
}

function unavailable(detail: string): ReplicationError {
  return new ReplicationError('log-unavailable', detail, { retriable: true });
}
