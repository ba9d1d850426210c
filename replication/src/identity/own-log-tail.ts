/**
 * Listens to the own log for what others publish in the region's name (P1): a beat that the own table does not have,
 * or a record of an incarnation that is not ours and not an earlier one. One partition is enough, because every beat
 * is published in all of them. A log that does not answer says nothing; listening goes on when it is back.
 */
import { backoffMs, pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { logRecordOrNull } from '../log/log-record.ts';
import type { Beat } from '../ports/change.ts';
import type { FeedBatch, FeedSubscription } from '../ports/change-feed.ts';
import type { IdentityStore } from '../ports/identity-store.ts';
import type { Logger } from '../ports/logger.ts';
import type { OwnLog } from '../ports/own-log.ts';
import type { Timer } from '../ports/timer.ts';
import type { OwnLogProofOptions } from './own-log-proof.ts';
import { judgeBeats, judgeOwnRecord } from './own-record.ts';

export interface OwnLogTailOptions {
  readonly self: OwnLogProofOptions['self'];
  readonly past: Pick<IdentityStore, 'beats' | 'newestBeat' | 'standing'>;
  readonly log: OwnLog;
  readonly timer: Timer;
  readonly logger: Logger;
  readonly onForeign: (reason: string) => Promise<void>;
}

/** Beats are looked up this seldom, many at once, and this long after they were heard. */
const restMs = 1_000;
/** A commit is in the log before others see it in the table, so only what is lacking this often is another's. */
const looks = 3;
const maxHeld = 1_000;
/** An own relay tries to publish every two seconds at least, and what is published is heard within another. */
const onItsWayMs = 3_000;
/** Whether the process was there to listen is looked at this often. */
const listenMs = 1_000;
/** Whoever comes back this much later than he wanted has not listened meanwhile. */
const stoodMs = 1_000;

export class OwnLogTail {
  readonly #options: OwnLogTailOptions;
  readonly #end = new AbortController();
  #subscription: FeedSubscription | null = null;
  #running: Promise<void> | null = null;
  #heardAtMs = Number.NEGATIVE_INFINITY;
  /** Heard and not yet looked up. */
  #beats: Beat[] = [];
  #looking: Promise<void> | null = null;

  constructor(options: OwnLogTailOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.#subscription?.close();
    await this.#running;
    await this.#looking;
  }

  /**
   * Whether nothing is published in our name for so long. What was on its way when listening began, mostly by our own
   * relay, proves nobody alive and nobody gone: the silence has to follow it. Nothing is taken for our own by what it says,
   * because a copy of the database says the same (0016).
   */
  async isAlone(forMs: number): Promise<boolean> {
    const { timer } = this.#options;
    let startedMs = timer.monotonicMs();
    let silentFromMs = startedMs;
    this.#requireLog();
    for (let nowMs = startedMs; nowMs < silentFromMs + forMs; ) {
      const dueMs = Math.min(silentFromMs + forMs, nowMs + listenMs);
      if (!(await pause(timer, dueMs - nowMs, this.#end.signal)))
        throw new ReplicationError('closed', 'nobody listens to the own log any more', { retriable: false });
      nowMs = timer.monotonicMs();
      if (nowMs > dueMs + stoodMs) {
        // What was said while the process stood still is heard later than it was said, or waits to be heard.
        startedMs = nowMs;
        silentFromMs = nowMs;
        continue;
      }
      if (this.#heardAtMs > startedMs + onItsWayMs) return false;
      silentFromMs = Math.max(silentFromMs, this.#heardAtMs);
    }
    this.#requireLog();
    return true;
  }

  /** What a log that is away holds is heard later; only of one that is there silence says something. */
  #requireLog(): void {
    if (this.#subscription?.connected !== true)
      throw new ReplicationError('log-unavailable', 'the own log does not answer', { retriable: true });
  }

  async #run(): Promise<void> {
    const { log, self } = this.#options;
    const subscription = log.tail(self.partitionCount);
    this.#subscription = subscription;
    for (let batch = await subscription.next(); batch !== null; batch = await subscription.next()) {
      const foreign = this.#hear(batch);
      if (foreign !== null) await this.#options.onForeign(foreign);
      this.#look();
    }
  }

  /** Never waits for the database: what waited unread would be taken for something that is said now. */
  #hear({ records }: FeedBatch): string | null {
    for (const { bytes } of records) {
      const judged = this.#judgeBytes(bytes);
      if (judged === null) continue;
      this.#heardAtMs = this.#options.timer.monotonicMs();
      if (judged.kind === 'foreign') return judged.reason;
      if (judged.kind === 'claim') this.#beats.push(...judged.beats.slice(0, maxHeld - this.#beats.length));
    }
    return null;
  }

  #look(): void {
    if (this.#looking !== null || this.#beats.length === 0) return;
    this.#looking = this.#judgeBeats(this.#beats.splice(0)).finally(() => {
      this.#looking = null;
    });
  }

  async #judgeBeats(beats: readonly Beat[]): Promise<void> {
    const { self, timer, onForeign } = this.#options;
    let reason: string | null = null;
    for (let look = 0; look < looks; look++) {
      if (!(await pause(timer, restMs, this.#end.signal))) return;
      reason = await this.#lookUp(beats);
      if (reason === null) return;
    }
    if (reason !== null) await onForeign(`${reason}: another database writes as ${self.region}`);
  }

  #judgeBytes(bytes: Uint8Array) {
    const { region, incarnation } = this.#options.self;
    const record = logRecordOrNull(bytes);
    if (record?.origin !== region) return null;
    const anyBeat = { number: Number.MAX_SAFE_INTEGER, lsn: 0n, atMs: 0 };
    return judgeOwnRecord({ incarnation, newestBeat: anyBeat }, record);
  }

  /** Tried until the database answers: a beat that was heard is not forgotten. */
  async #lookUp(beats: readonly Beat[]): Promise<string | null> {
    const { past, timer, logger } = this.#options;
    const numbers = beats.map(({ number }) => number);
    const [first, last] = [Math.min(...numbers), Math.max(...numbers)];
    for (let attempt = 0; !this.#end.signal.aborted; attempt++) {
      try {
        const kept = await past.beats(first, last);
        const newest = (await past.newestBeat()).beat?.number ?? 0;
        // Who was restored to an older day is about to be compared, which says it better.
        if (past.standing !== 'same') return null;
        if (last > newest) return `the own log holds beat ${last}, the database none after ${newest}`;
        return judgeBeats(beats, kept);
      } catch (reason) {
        if (!(reason instanceof ReplicationError)) throw reason;
        logger.debug({ err: reason }, 'beats of the own log wait to be looked up');
        await pause(timer, backoffMs(attempt), this.#end.signal);
      }
    }
    return null;
  }
}
