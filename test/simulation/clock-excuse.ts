/**
 * For how long a jump of a clock lets a region's figures be off, and no longer. Processes read their database's clock every
 * second, so ages of own beats (RPO, guards) are wrong until then and right afterwards, whatever the clocks of peers do:
 * a beat that was stamped before the own clock was set back says so. A lag rests on how far the two clocks lie apart as
 * well (P7), and that is known again once an echo has been measured after the last jump of either; across a cut link none
 * is. Until then nobody can know better.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { ClockOffset } from '@isthmus/replication/ports/beat-store';
import type { SimRegion } from './sim-region.ts';

/** The clock is read each second, the figures are too, and either may be on its way. */
const readAgainMs = 3000;
/** Of an echo that was measured since, no part lies before the jump. */
const echoMs = 2000;

/** Whether the region's processes know what its clock says now. */
export function knowsOwnClock({ clock }: Pick<SimRegion, 'clock'>, nowMs: number): boolean {
  return nowMs > clock.jumpedAtMs + readAgainMs;
}

/** When the offset between two clocks was last seen to be another one than before. */
export class OffsetNews {
  readonly #seen = new Map<string, { readonly measuredAtMs: number; readonly atMs: number }>();

  /** To be told whenever figures are read. */
  note(
    region: RegionId,
    peer: RegionId,
    of: { readonly offset: ClockOffset | null; readonly nowMs: number },
  ): void {
    const measuredAtMs = of.offset?.measuredAtMs ?? -Infinity;
    const name = `${region} ${peer}`;
    if (this.#seen.get(name)?.measuredAtMs !== measuredAtMs)
      this.#seen.set(name, { measuredAtMs, atMs: of.nowMs });
  }

  /** Whether what the region takes for the offset can be from after the last jump of either clock. */
  knowsOffset(region: SimRegion, other: SimRegion): boolean {
    const jumpedAtMs = Math.max(region.clock.jumpedAtMs, other.clock.jumpedAtMs);
    const changedAtMs = this.#seen.get(`${region.id} ${other.id}`)?.atMs ?? -Infinity;
    return jumpedAtMs === -Infinity || changedAtMs > jumpedAtMs + readAgainMs + echoMs;
  }
}
