/**
 * What a region's database says of its own past (P1). A server that was started anew may be a restored copy, whose
 * next write would take a dot that peers know with another content; so it serves no write before somebody has compared
 * it with the own log and says `prove`. A hold stops the writes of every process of the region until it is lifted by
 * an operator, and no restart forgets it. A database that is not its own past becomes a new incarnation of its region
 * (P9): nothing that was emitted before is emitted again, and no dot of the old one is given away. Every method rejects
 * as the database does (`errors.ts`). `adopt` rejects besides with `slot-held` (retriable) while a relay reads from the
 * slot, with `identity-mismatch` where another claim is noted, and with `outcome-unknown` where its commit was not
 * answered.
 */
import type { Beat, Lsn } from './change.ts';
import type { Incarnation } from './identity.ts';
import type { Vector } from './vector.ts';

/** The server behind a connection, as it names itself: compared, never understood. */
export interface Lineage {
  /** Of 64 bits, in decimal. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** When its postmaster started, as Postgres prints it in seconds since 1970. */
  readonly postmasterStart: string;
}

export type Continuity =
  | { readonly kind: 'same' }
  /** Another start of the same system, perhaps promoted to another timeline: no write before it is proven. */
  | { readonly kind: 'unproven'; readonly isPromoted: boolean; readonly lineage: Lineage }
  /** The database has another incarnation than the one that was opened: whoever opened it has to open it again. */
  | { readonly kind: 'renewed'; readonly reason: string }
  /** It is on another system; `held`: writes wait for an operator whatever becomes of it. */
  | { readonly kind: 'broken'; readonly isHeld: boolean; readonly reason: string };

/**
 * A beat that so many have followed, in ten seconds at least, is surely older than everything that the database may lack.
 * By their times it would not be: the clock may have been set between them (0066).
 */
export const marginBeats = 40;

/** What a new incarnation begins with. */
export interface Adoption {
  readonly claim: Incarnation;
  /** What the region last told its peers, whichever of its incarnations did; `null`: the log does not say. */
  readonly promised: Vector | null;
}

export interface NewestBeat {
  /** `null`: none was ever written. */
  readonly beat: Beat | null;
  /** Whether the own log has ever held one of ours. */
  readonly hasPublished: boolean;
}

export interface IdentityStore {
  /** What the newest connection found, `broken` from a hold of this process on; cheap, asks nobody. */
  readonly standing: Continuity['kind'];
  continuity(): Promise<Continuity>;
  newestBeat(): Promise<NewestBeat>;
  /** Where the write-ahead log ends now: nothing that the database ever committed lies beyond. */
  insertLsn(): Promise<Lsn>;
  /**
   * Where the write-ahead log ended that this server found when it was started or promoted, whatever was written to it since:
   * nothing lies beyond that the database had committed before. Of a server that had ended well, which finds nothing to
   * recover, it is where the log ends now.
   */
  recoveredTo(): Promise<Lsn>;
  /** Those of the own beats `from` to `to` (inclusive) that are kept. */
  beats(from: number, to: number): Promise<readonly Beat[]>;
  /** The server of this lineage continues our past: every process writes again. */
  prove(lineage: Lineage): Promise<void>;
  /**
   * No process of the region writes any more; connections that were open are ended. Of two reasons the first stays, unless
   * the second is the last word: a claim was lost, so what the first was to end with will not come.
   */
  hold(reason: string, how?: { readonly isLastWord: boolean }): Promise<void>;
  /** On an operator's word: the server that is there continues our past, and a hold is lifted. */
  accept(): Promise<void>;
  /** Of a new incarnation that is being taken; `null`: none is. */
  claim(): Promise<Incarnation | null>;
  /**
   * Before it is made in the log. It replaces one of a lower counter; of two for one counter the first stays, so that
   * processes of one database make one claim. A database that has become one of that counter, or of a higher one, notes
   * nothing and answers with itself. Returns the one that holds then.
   */
  noteClaim(claim: Incarnation): Promise<Incarnation>;
  /**
   * The claim has won: the database is that incarnation from now on, with a log of its own that begins here, and has
   * its past to learn again. Every connection that was open is ended. Once is as good as twice. It may wait for minutes
   * while long transactions write in the cluster; the signal ends that.
   */
  adopt(adoption: Adoption, signal?: AbortSignal): Promise<void>;
}
