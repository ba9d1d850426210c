/**
 * Judges what became of regions that were retired (P8): every survivor came to know of it, all of them agree on one end and
 * one heir among themselves, each has reached that end, and none has taken anything beyond it.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Retirement } from '@isthmus/replication/ports/retirement-store';
import { lacking } from '@isthmus/replication/vector';
import type { Violation } from '../checkers/history.ts';
import type { SimRegion } from './sim-region.ts';
import { lettersAt } from './verdict-loss.ts';
import type { World } from './world.ts';

export async function retirementFaults(world: World): Promise<readonly Violation[]> {
  const found: Violation[] = [];
  if (world.isRetiring)
    for (const { region, withLog } of world.losses.all)
      if (withLog && !world.retired.has(region.id))
        found.push({ checker: 'retirement', key: region.id, detail: 'no survivor took the command' });
  for (const [region, atMs] of world.retired) found.push(...(await faultsOf(world, { region, atMs })));
  return found;
}

async function faultsOf(
  world: World,
  { region, atMs }: { readonly region: RegionId; readonly atMs: number },
): Promise<readonly Violation[]> {
  const heirs = new Set<RegionId>();
  const ends = new Set<string>();
  const letters = await Promise.all(world.survivors.map(lettersAt));
  // Nobody agrees on an end without a region that is gone as well and that no operator has retired.
  const isAwaited = world.regions.some(({ id, isGone }) => isGone && !world.retired.has(id));
  const isHeldUp = isAwaited || letters.flat().some(({ origin }) => origin === region);
  const found: Violation[] = [];
  const fail = (detail: string): void => void found.push({ checker: 'retirement', key: region, detail });
  for (const survivor of world.survivors) {
    const retired = (await survivor.retirements.all()).find((each) => each.region === region);
    const fault = await faultAt(survivor, retired);
    // Who has put a change of it aside cannot give others what lies beyond that, and holds up the end (0035).
    if (fault !== null && !isHeldUp) fail(`${survivor.id} ${fault}`);
    const { heir = null, final = null } = retired ?? {};
    if (heir !== null) heirs.add(heir);
    if (final !== null) ends.add(final.map(({ lsn }) => String(lsn)).join(' '));
  }
  if (heirs.size > 1) fail(`it has ${heirs.size} heirs: ${[...heirs].join(' ')}`);
  if (ends.size > 1) fail(`survivors hold ${ends.size} ends of it: ${[...ends].join(', ')}`);
  // Who goes later is followed by whoever inherits from it (0027).
  for (const heir of heirs)
    if ((world.regionOf(heir).goneAtMs ?? Infinity) <= atMs)
      fail(`its heir is ${heir}, which was gone before`);
  return found;
}

async function faultAt(survivor: SimRegion, retired: Retirement | undefined): Promise<string | null> {
  if (retired === undefined) return 'does not know that it was closed';
  const { region, final, isReached } = retired;
  if (final === null) return 'knows no end of it';
  if (!isReached) return 'has not come to its end';
  const beyond = lacking(final, await survivor.retirements.position(region));
  return beyond === null ? null : `holds it up to ${beyond.lsn}, beyond its end`;
}
