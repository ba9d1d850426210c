/**
 * Takes sessions in and gives them out (P5): waits, within a bound, until the region includes what a session has seen,
 * and adds what its caller sees and writes here. Readings of where the region stands are shared: who asks while one is
 * under way takes the next one, because one that began before a record was read might say too little. A database that
 * has become another incarnation than the one that was opened is asked nothing more: it may have been emptied with that,
 * and neither its own writes nor what was found here before are surely in it. The desk stores nothing; a session is what
 * its caller carries.
 */
import { pause } from '../backoff.ts';
import { ReplicationError } from '../errors.ts';
import { partitionOf } from '../log/partition.ts';
import type { RecordId } from '../ports/change.ts';
import { sameIncarnation } from '../ports/identity.ts';
import type { SeenCommit, SessionPlace, SessionStore } from '../ports/session-store.ts';
import type { Timer } from '../ports/timer.ts';
import {
  accepted,
  afterRead,
  afterWrite,
  type Issuer,
  judgeSession,
  newSession,
  type Session,
  type SessionJudgement,
} from './session.ts';
import { decodeSession, encodeSession } from './session-token.ts';

export interface SessionDeskOptions {
  readonly self: Issuer & { readonly partitionCount: number };
  readonly store: SessionStore;
  /** The same in every region. */
  readonly key: Uint8Array;
  readonly timer: Timer;
}

const lookMs = 15;

interface Found {
  readonly place: SessionPlace;
  readonly era: number;
}

export class SessionDesk {
  readonly #options: SessionDeskOptions;
  readonly #end = new AbortController();
  /** The token of a caller who has seen nothing; every answer begins with it. */
  readonly #blank: string;
  /** Of callers who have seen nothing but their write in the newest commit, by its partition: many share one. */
  #fresh: { readonly commit: SeenCommit | null; readonly tokens: Map<number, string> } = {
    commit: null,
    tokens: new Map(),
  };
  #last: Found | null = null;
  /** The place that a session was found to be included in. */
  readonly #found = new WeakMap<Session, Found>();
  #reading: Promise<SessionPlace> | null = null;
  #next: Promise<SessionPlace> | null = null;

  constructor(options: SessionDeskOptions) {
    this.#options = options;
    this.#blank = this.#encode(newSession(options.self));
  }

  /** Who waits is answered at once with what is missing. */
  close(): void {
    this.#end.abort();
  }

  /** Throws `malformed-record`. */
  parse(token: string): Session {
    return decodeSession(token, this.#options.key);
  }

  /** Waits at most so long; rejects with what the database rejects with, and with `database-unavailable` where it is another. */
  async reach(session: Session, waitMs: number): Promise<SessionJudgement> {
    const { self, store, timer } = this.#options;
    const endMs = timer.monotonicMs() + waitMs;
    // Within one era places only grow, so one that was read before is good enough where it suffices.
    const last = this.#last;
    if (last?.era === store.era && judgeSession(self, last.place, session).kind === 'reached') {
      this.#found.set(session, last);
      return { kind: 'reached' };
    }
    for (;;) {
      const { era } = store;
      const place = await this.#place();
      const judgement = judgeSession(self, place, session);
      if (judgement.kind === 'reached') this.#found.set(session, { place, era });
      const leftMs = endMs - timer.monotonicMs();
      if (judgement.kind !== 'waiting' || leftMs <= 0) return judgement;
      if (!(await pause(timer, Math.min(lookMs, leftMs), this.#end.signal))) return judgement;
    }
  }

  /** The token to go on with after nothing was seen. */
  tokenOf(session: Session | null): string {
    return session === null ? this.#blank : this.#encode(this.#own(session));
  }

  /**
   * The token after these records were read, or, for `null`, some of all. To be called once they have been. Rejects with
   * `database-unavailable` where they may have been read without what the session had seen: the reading of the place comes
   * after them, so a database that is still the same then was not emptied before.
   */
  async afterRead(session: Session | null, ids: readonly RecordId[] | null): Promise<string> {
    const place = await this.#place();
    const era = session === null ? undefined : this.#found.get(session)?.era;
    if (era !== undefined && era !== this.#options.store.era) {
      const detail = 'the database was away between two looks at it';
      throw new ReplicationError('database-unavailable', detail, { retriable: true });
    }
    return this.#encode(afterRead(this.#own(session), place, this.#partitions(ids)));
  }

  /** The token after these records were written. */
  afterWrite(session: Session | null, ids: readonly RecordId[], commit: SeenCommit): string {
    const [only] = ids;
    if (session === null && only !== undefined && ids.length === 1)
      return this.#afterFirstWrite(only, commit);
    return this.#encode(afterWrite(this.#own(session), this.#partitions(ids), commit));
  }

  #afterFirstWrite(id: RecordId, commit: SeenCommit): string {
    if (this.#fresh.commit !== commit) this.#fresh = { commit, tokens: new Map() };
    const { self } = this.#options;
    const partition = partitionOf(id, self.partitionCount);
    const known = this.#fresh.tokens.get(partition);
    if (known !== undefined) return known;
    const token = this.#encode(afterWrite(newSession(self), new Set([partition]), commit));
    this.#fresh.tokens.set(partition, token);
    return token;
  }

  #own(session: Session | null): Session {
    const { self } = this.#options;
    if (session === null) return newSession(self);
    return accepted(self, session, this.#found.get(session)?.place.whole);
  }

  #encode(session: Session): string {
    return encodeSession(session, this.#options.key);
  }

  #partitions(ids: readonly RecordId[] | null): ReadonlySet<number> {
    const { partitionCount } = this.#options.self;
    if (ids === null) return new Set(Array.from({ length: partitionCount }, (_, partition) => partition));
    return new Set(ids.map((id) => partitionOf(id, partitionCount)));
  }

  /** A reading that begins after this call. */
  #place(): Promise<SessionPlace> {
    if (this.#reading === null) return this.#read();
    this.#next ??= this.#reading.then(
      () => this.#read(),
      () => this.#read(),
    );
    return this.#next;
  }

  #read(): Promise<SessionPlace> {
    this.#next = null;
    const { era } = this.#options.store;
    const reading = this.#options.store.place().finally(() => {
      this.#reading = null;
    });
    this.#reading = reading;
    return reading.then((place) => {
      this.#requireOpened(place);
      this.#last = { place, era };
      return place;
    });
  }

  #requireOpened({ incarnation }: SessionPlace): void {
    if (sameIncarnation(incarnation, this.#options.self.incarnation)) return;
    const detail = `the database has become incarnation ${incarnation.counter}; it is being opened as that`;
    throw new ReplicationError('database-unavailable', detail, { retriable: true });
  }
}
