/**
 * Regions that are gone for good (P8). Closing one is the fence: no applier of any process takes another change of it,
 * no transfer brings anything from it, and what had been taken by then is known. Once the survivors have agreed,
 * everybody holds it up to the same final vector and nothing beyond. Neither is ever taken back, so a name that was
 * retired is not used again. Every method rejects as the database does (`errors.ts`).
 */
import type { RegionId } from './identity.ts';
import type { Vector } from './vector.ts';

/** What survivors agree on. */
export interface Agreement {
  readonly final: Vector;
  readonly heir: RegionId;
}

export interface Retirement {
  readonly region: RegionId;
  /** Whom it was closed here in favour of, by whoever closed it first; never changed. `null`: nobody was named. */
  readonly wish: RegionId | null;
  /** What the survivors agreed on; `null`: not yet. */
  readonly final: Vector | null;
  /** The one survivor that may claim what it held of bounded counters; `null`: nobody, or not agreed yet. */
  readonly heir: RegionId | null;
  /** The final vector is settled here. */
  readonly isReached: boolean;
}

export interface RetirementStore {
  /** In order of name, all of one moment. */
  all(): Promise<readonly Retirement[]>;
  /** How far the region's changes have come here, its incarnations all. */
  position(region: RegionId): Promise<Vector>;
  /**
   * Durably; closing it again changes nothing, the wish neither. What is merged of it at that moment ends first. Returns
   * the position at which it was closed, or what transfers from others made of it.
   */
  close(region: RegionId, wish: RegionId | null): Promise<Vector>;
  /**
   * False where it was not closed, was closed beyond `final`, is retired with another final vector or heir, or where the
   * closed regions are not these: whoever decided took others for survivors.
   */
  retire(region: RegionId, agreed: Agreement, closed: readonly RegionId[]): Promise<boolean>;
}
