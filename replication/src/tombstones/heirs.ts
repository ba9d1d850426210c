/**
 * Who may claim the rights of a region that is gone (P8): its heir, or the heir of that one where it is gone as well,
 * and so on. There is one at any time, because the heirs of each are agreed on by all survivors; and what an heir that is
 * gone had claimed already is among its own changes, so who follows it has to have all of those first. Pure.
 */
import type { RegionId } from '../ports/identity.ts';
import type { Retirement } from '../ports/retirement-store.ts';

export interface Inheritance {
  /** `null`: nobody may, as long as the survivors have not agreed. */
  readonly heir: RegionId | null;
  /** All that is kept of the region, and of every heir before this one, has settled here. */
  readonly isReached: boolean;
}

/** `null`: the region is not gone. */
export function inheritanceOf(region: RegionId, retired: readonly Retirement[]): Inheritance | null {
  let gone: Retirement | undefined = retired.find((each) => each.region === region);
  if (gone === undefined) return null;
  let isReached = true;
  // Nobody inherits twice, so a chain is no longer than there are regions.
  for (let length = 0; gone !== undefined && length <= retired.length; length++) {
    const heir: RegionId | null = gone.heir;
    isReached &&= gone.isReached;
    const next: Retirement | undefined = retired.find((each) => each.region === heir);
    if (heir === null || next === undefined) return { heir, isReached };
    gone = next;
  }
  return { heir: null, isReached: false };
}
