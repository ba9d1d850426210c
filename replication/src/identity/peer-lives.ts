/**
 * What only peers know of a region whose log lies beside its database (P9, I11). Where that log is lost and made anew the
 * claims go with it, and peers drop whatever a life writes whose counter is not above those that they know. So each of
 * them is waited for before a counter is chosen, as long as a silent peer is ever waited for, because a region goes on
 * without those that are gone (I8, 0046). And where another database writes in the region's name into a log of its own, the
 * one that peers do not read finds nothing strange in its own. So they are asked all the time what they know of the
 * region: a past that is neither in the database nor in its log, and goes on, is somebody else's, and the region is held;
 * one that has come to its end was this region's, and it takes a life above that (0078). What the log holds is its own
 * matter: somebody else may live by it.
 */
import { ReplicationError } from '../errors.ts';
import { orNextTurn } from '../next-turn.ts';
import type { ControlLog } from '../ports/control-log.ts';
import { type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { PeerMemory, RememberedBeat } from '../ports/peer-memory.ts';
import type { RecordStore } from '../ports/record-store.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';
import type { Alarms } from './evidence.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { otherBeats } from './other-beats.ts';
import {
  askPeers,
  otherLives,
  type OtherPast,
  patienceMs,
  peerLookIntervalMs,
  type Testimony,
} from './peer-testimony.ts';
import { readClaims } from './renewal.ts';

export interface PeerLivesOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly peers: readonly RegionId[];
  /** Of these, who is gone for good. */
  readonly closed: () => readonly RegionId[];
  readonly memory: PeerMemory;
  readonly past: Pick<IdentityStore, 'standing' | 'newestBeat' | 'beats'>;
  readonly records: Pick<RecordStore, 'positions'>;
  /** Whether earlier lives of the database are still being learnt. */
  readonly isLearning: () => Promise<boolean>;
  readonly control: ControlLog;
  readonly timer: Timer;
  readonly logger: Logger;
}

export class PeerLives {
  readonly #options: PeerLivesOptions;
  readonly #ticker: Ticker;
  #alarms: Alarms = { onForeign: async () => undefined, onOtherLife: async () => undefined };
  /** What each peer knew at the last look and the region does not. */
  #seen: ReadonlyMap<RegionId, RememberedBeat> = new Map();
  /** What was ever told stays told, also by a peer that is silent by now. */
  #highestCounter = 0;
  /** Who has answered since the database was last well. */
  readonly #answered = new Set<RegionId>();
  #waitingSinceMs: number | null = null;

  constructor(options: PeerLivesOptions) {
    const { timer, logger } = options;
    this.#options = options;
    const run = orNextTurn(
      () => this.#look(),
      (err) => logger.debug({ err }, 'which lives peers know of us is asked again'),
    );
    this.#ticker = new Ticker({ timer, intervalMs: peerLookIntervalMs, run });
  }

  start(alarms: Alarms): void {
    this.#alarms = alarms;
    this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  /** Rejects with `log-unavailable` while a peer does not answer that is still waited for. */
  async highestCounter(): Promise<number> {
    const { peers, closed, timer } = this.#options;
    await this.#ask();
    const gone = closed();
    const silent = peers.filter((peer) => !gone.includes(peer) && !this.#answered.has(peer));
    const nowMs = timer.monotonicMs();
    this.#waitingSinceMs ??= nowMs;
    if (silent.length > 0 && nowMs - this.#waitingSinceMs < patienceMs) {
      const detail = `${silent.join(', ')} does not say which incarnations of this region it knows`;
      throw new ReplicationError('log-unavailable', detail, { retriable: true });
    }
    return this.#highestCounter;
  }

  async #look(): Promise<void> {
    const { past, self } = this.#options;
    if (past.standing !== 'same') return;
    this.#answered.clear();
    this.#waitingSinceMs = null;
    const answers = await this.#ask();
    const unknown = await this.#unknownPasts(answers);
    const outlived = await this.#outlivedPasts(answers);
    // What has been renewed or set back since it was asked about is judged anew.
    if (past.standing !== 'same') return;
    const before = this.#seen;
    this.#seen = new Map([...unknown, ...outlived].map(({ peer, beat }) => [peer, beat]));
    const alive = [...unknown, ...outlived].find(({ peer, beat }) => hasMoved(before.get(peer), beat));
    if (alive !== undefined)
      return this.#alarms.onForeign(
        `${alive.reason}, and goes on: another database writes as ${self.region}`,
      );
    const ended = unknown.find(({ peer, beat }) => isSameLife(before.get(peer), beat));
    if (ended !== undefined) await this.#alarms.onOtherLife(ended.reason);
  }

  /** Which are in the way of the present life. */
  async #unknownPasts(answers: readonly Testimony[]): Promise<readonly OtherPast[]> {
    const { self, past } = this.#options;
    const beats = await otherBeats(answers, { self, past, end: null });
    const lives = otherLives(answers, self.incarnation);
    if (lives.length === 0) return beats;
    const claims = await readClaims(this.#options);
    const untold = lives.filter(({ beat }) => !isTold(claims, self.incarnation, beat.incarnation));
    return [...beats, ...untold];
  }

  /** Of lives before the present one, beyond all that the region has learnt of them again. */
  async #outlivedPasts(answers: readonly Testimony[]): Promise<readonly OtherPast[]> {
    const { self, records, isLearning } = this.#options;
    const earlier = answers.flatMap(({ peer, beat }) =>
      beat !== 'nothing' && beat.incarnation.counter < self.incarnation.counter ? [{ peer, beat }] : [],
    );
    if (earlier.length === 0 || (await isLearning())) return [];
    const positions = await records.positions(self.region);
    return earlier.flatMap(({ peer, beat }) => {
      const learnt = positions.filter(({ incarnation }) => sameIncarnation(incarnation, beat.incarnation));
      if (beat.made === null || learnt.some(({ applied }) => applied >= (beat.made?.lsn ?? 0n))) return [];
      const { counter } = beat.incarnation;
      return [{ peer, beat, reason: `${peer} has received beat ${beat.number} of incarnation ${counter}` }];
    });
  }

  async #ask(): Promise<readonly Testimony[]> {
    const answers = await askPeers(this.#options);
    for (const { peer, beat } of answers) {
      this.#answered.add(peer);
      if (beat !== 'nothing') this.#highestCounter = Math.max(this.#highestCounter, beat.incarnation.counter);
    }
    return answers;
  }
}

/** Who has claimed that life, or one above ours, is heard there: whether he lives is not for peers to say. */
function isTold(claims: readonly Incarnation[], own: Incarnation, other: Incarnation): boolean {
  return claims.some((claim) => claim.counter > own.counter || sameIncarnation(claim, other));
}

function isSameLife(before: RememberedBeat | undefined, now: RememberedBeat): boolean {
  return before !== undefined && sameIncarnation(before.incarnation, now.incarnation);
}

function hasMoved(before: RememberedBeat | undefined, now: RememberedBeat): boolean {
  return before !== undefined && isSameLife(before, now) && now.number > before.number;
}
