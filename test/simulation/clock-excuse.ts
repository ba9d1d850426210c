/**
 * For how long a jump of a clock lets a region's figures be off, and no longer. Processes read their database's clock every
 * second, so ages of own beats (RPO, guards) are wrong until then and right afterwards, whatever the clocks of peers do,
 * but for what nobody can tell from two beats with a clock set back between them (0030). A lag rests on how far the two clocks lie apart as
 * well (P7), and that is known again once an echo has been measured after the last jump of either; across a cut link none
 * is. A process that stood still over a jump of its own clock, or whose database did, begins to learn of it when that goes
 * on. Until then nobody can know better.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { ClockOffset } from '@isthmus/replication/ports/beat-store';
import type { Jump } from './region-clock.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

/** The clock is read each second, the figures are too, and either may be on its way. */
const readAgainMs = 3000;
/** Of an echo that was measured since, no part lies before the jump. */
const echoMs = 2000;

/** Whether the region's processes know what its clock says now. */
export function knowsOwnClock({ clock }: Pick<SimRegion, 'clock'>, nowMs: number): boolean {
  return nowMs > clock.noticedAtMs + readAgainMs;
}

/** By how much ages of what the region has written since may be too low. */
export function hiddenIn(
  { oracle, scheduler }: World,
  { identity, clock }: SimRegion,
  ageMs: number,
): number {
  return oracle.hiddenMs(identity, clock.setBacks, scheduler.nowMs - ageMs);
}

type Clocked = Pick<SimRegion, 'id' | 'clock'>;

/** By true time. */
interface Measured {
  readonly begunAtMs: number;
  readonly atMs: number;
}

interface Seen {
  measuredAtMs: number;
  /** Of those that were seen. */
  news: Measured[];
}

/** When the offsets between two clocks that were seen had been measured, which a database that stood still shows late. */
export class OffsetNews {
  readonly #seen = new Map<string, Seen>();

  /** To be told whenever figures are read. */
  note(
    region: RegionId,
    peer: RegionId,
    at: { readonly offset: ClockOffset | null; readonly nowMs: number; readonly ownMs: number },
  ): void {
    const name = `${region} ${peer}`;
    const seen = this.#seen.get(name) ?? { measuredAtMs: -Infinity, news: [] };
    this.#seen.set(name, seen);
    const measuredAtMs = at.offset?.measuredAtMs ?? -Infinity;
    if (seen.measuredAtMs === measuredAtMs) return;
    seen.measuredAtMs = measuredAtMs;
    const atMs = at.nowMs - Math.max(0, at.ownMs - measuredAtMs);
    // The exchange that it was measured by took twice its error, and may have waited for a link in the middle of it.
    seen.news.push({ atMs, begunAtMs: atMs - 2 * (at.offset?.errorMs ?? 0) });
  }

  /** Its database is a copy of that moment, and what was measured since is in no table. */
  setBack(region: RegionId, copiedAtMs: number): void {
    for (const [name, seen] of this.#seen)
      if (name.startsWith(`${region} `)) seen.news = seen.news.filter(({ atMs }) => atMs <= copiedAtMs);
  }

  /** Whether what the region takes for the offset can be from after the last jump of either clock. */
  knowsOffset(region: Clocked, other: Clocked): boolean {
    const last = jumpsOf(region, other).at(-1);
    if (last === undefined) return true;
    // Echoes are told by the other's processes, which may not know yet what its database's clock says.
    const fromMs = Math.max(last, region.clock.noticedAtMs, other.clock.noticedAtMs);
    return this.#isMeasured(region, other, { fromMs, toMs: Infinity });
  }

  /**
   * The last jump before which nothing was measured since the one before it, or ever; `null`: there was none. Several are
   * taken for one, which may be found between the wrong beats (0030), and of the first nothing is known at all, so beats
   * that were made until then may be told by a wrong offset.
   */
  tangledAtMs(region: Clocked, other: Clocked): number | null {
    const jumps = jumpsOf(region, other);
    const tangled = jumps.filter((toMs, index) => {
      const fromMs = jumps[index - 1] ?? -Infinity;
      return !this.#isMeasured(region, other, { fromMs, toMs });
    });
    return tangled.at(-1) ?? null;
  }

  /**
   * By how much a beat of the other region may be told as too old: where nobody saw between which beats its clock was set
   * back, those that were made no later than that much after the first echo since may be from before it (0050). An own clock
   * that was set ahead while nobody looked (0049) is the same to whoever reads the next echo, and does not move the offsets
   * that held for the beats before.
   */
  setBackMs(region: Clocked, other: Clocked, beatAtMs: number): number {
    const aheads = region.clock.unseenAheads;
    const laterMs = aheads.reduce((sumMs, { atMs, byMs }) => sumMs + (atMs < beatAtMs ? 0 : byMs), 0);
    const jumps = [...other.clock.setBacks, ...aheads].toSorted((a, b) => a.atMs - b.atMs);
    const last = jumps.findLast(({ atMs }) => atMs < beatAtMs);
    if (last === undefined) return laterMs;
    const news = this.#seen.get(`${region.id} ${other.id}`)?.news ?? [];
    const measuredAtMs = news.find(({ atMs }) => atMs > last.atMs)?.atMs ?? Infinity;
    return laterMs + (beatAtMs <= measuredAtMs + last.byMs ? last.byMs : 0);
  }

  /**
   * By how much a beat of the other region may be told as too old, of what its clock was set ahead by: where a process began
   * to replicate, and no echo was measured between that and the jump, it is the same to whoever reads the next one as an
   * own clock that was set back while nobody looked, by which each beat is older (0069).
   */
  setAheadMs(region: Clocked, other: Clocked, beatAtMs: number): number {
    const isUnseen = ({ atMs: jumpAtMs }: Jump): boolean =>
      region.clock.takenUpAtMs.some((upAtMs) => {
        const [fromMs, toMs] = upAtMs < jumpAtMs ? [upAtMs, jumpAtMs] : [jumpAtMs, upAtMs];
        return !this.#isMeasured(region, other, { fromMs, toMs });
      });
    const unseen = other.clock.setAheads.filter((jump) => jump.atMs >= beatAtMs && isUnseen(jump));
    return unseen.reduce((sumMs, { byMs }) => sumMs + byMs, 0);
  }

  #isMeasured(
    region: Clocked,
    other: Clocked,
    { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  ): boolean {
    const news = this.#seen.get(`${region.id} ${other.id}`)?.news ?? [];
    return news.some(({ begunAtMs, atMs }) => begunAtMs > fromMs + readAgainMs + echoMs && atMs < toMs);
  }
}

function jumpsOf(region: Clocked, other: Clocked): readonly number[] {
  return [...region.clock.jumps, ...other.clock.jumps].toSorted((a, b) => a - b);
}
