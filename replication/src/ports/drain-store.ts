/**
 * Whether an operator has taken the region's local writes away, so that its callers can go elsewhere and nothing that it
 * acknowledged is on its way any more. The word lies in the database: every process keeps to it, no restart forgets it,
 * and replication goes on. Only the end of every connection that was open before makes it sure. Every method rejects as
 * the database does (`errors.ts`), also where the region writes no more: none asks whether the server continues its
 * past.
 */
export interface Drained {
  /** Database clock. */
  readonly sinceMs: number;
  /**
   * Of the life that the database is now. Every local write that was ever acknowledged lies before it; `null`: some may still
   * be under way.
   */
  readonly beat: number | null;
}

export interface DrainStore {
  /** `null`: the region takes writes, as far as this goes. */
  find(): Promise<Drained | null>;
  /** From now on new connections take no local writes; a region that is drained stays so. */
  begin(): Promise<void>;
  /**
   * Of a region that is drained: ends every other connection, and with it the writes that it served. Takes nothing away
   * by itself.
   */
  cut(): Promise<void>;
  /** Names the beat once all those connections have ended; true where it is named. */
  settle(): Promise<boolean>;
  /** Local writes are taken again; where the region is to be filled anew, once it is, or once that is refused. */
  end(): Promise<void>;
}
