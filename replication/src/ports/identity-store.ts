/**
 * What a region's database says of its own past (P1). A server that was started anew may be a restored copy, whose
 * next write would take a dot that peers know with another content; so it serves no write before somebody has compared
 * it with the own log and says `prove`. A hold stops the writes of every process of the region until it is lifted by
 * an operator, and no restart forgets it.
 */
import type { Beat } from './change.ts';

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
  | { readonly kind: 'broken'; readonly reason: string };

export interface NewestBeat {
  /** `null`: none was ever written. */
  readonly beat: Beat | null;
  /** Whether the own log has ever held one of ours. */
  readonly hasPublished: boolean;
}

export interface IdentityStore {
  /** What the newest connection found; cheap, asks nobody. */
  readonly standing: Continuity['kind'];
  continuity(): Promise<Continuity>;
  newestBeat(): Promise<NewestBeat>;
  /** Those of the own beats `from` to `to` (inclusive) that are kept. */
  beats(from: number, to: number): Promise<readonly Beat[]>;
  /** The server of this lineage continues our past: every process writes again. */
  prove(lineage: Lineage): Promise<void>;
  /** No process of the region writes any more; connections that were open are ended. */
  hold(reason: string): Promise<void>;
  /** On an operator's word: the server that is there continues our past, and a hold is lifted. */
  accept(): Promise<void>;
}
