/**
 * Whether a region's database is still to be filled by its peers. A database that was made fresh joins until somebody
 * says that it has; no restart forgets that, and nothing makes it join again. Every method rejects as the database does
 * (`errors.ts`).
 */
export interface JoiningStore {
  isJoining(): Promise<boolean>;
  /** Durably, for every process of the region. */
  joined(): Promise<void>;
}
