/**
 * Databases that are destroyed or set back to an older copy, and what each region held in that moment. What is lost has to
 * be told from what was held elsewhere and lost with another database later, which no figure of before could have known.
 */
import type { Lsn } from '@isthmus/replication/ports/change';
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { PositionRow } from '@isthmus/replication/ports/record-store';
import { knowsOwnClock } from './clock-excuse.ts';
import { shownThen } from './judge.ts';
import type { Life } from './past-lives.ts';
import type { Jump } from './region-clock.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';

/** What a region showed in the moment in which it was destroyed, or set back. */
export interface Loss {
  readonly region: SimRegion;
  readonly life: Life;
  readonly withLog: boolean;
  readonly atMs: number;
  /** The RPO that counts while the log survives, where it does, and the one of the best peer; `null`: unknown. */
  readonly shownMs: { readonly first: number | null; readonly ofPeers: number | null };
  /** Whether no jump of its clock let that be off. */
  readonly isClockKnown: boolean;
  /** Of its clock until then. */
  readonly setBacks: readonly Jump[];
  /** How far its database still held that life. */
  readonly kept: Lsn;
  readonly held: readonly HeldThen[];
  /** What regions had of it that were destroyed, as far as it had not been told that they are retired. */
  readonly gone: readonly (readonly PositionRow[])[];
}

/** What a region had of the life, by its positions. */
interface HeldThen {
  readonly by: SimRegion;
  readonly rows: readonly PositionRow[];
  /** Until it was set back: whom it had told that did not hear yet that it is another. */
  readonly isPast: boolean;
}

/** An older copy of a database. */
export interface Copy {
  readonly putBack: () => void;
  /** What the database was when it was taken, and how far it stood. */
  readonly copied: Incarnation;
  readonly at: Lsn;
  /** Number of the newest beat in it. */
  readonly beat: number;
  /** When it was taken, by true time. */
  readonly atMs: number;
  /** It holds nothing, or not yet all that is to come from a peer. */
  readonly isEmptied: boolean;
}

type Positions = ReadonlyMap<RegionId, readonly PositionRow[]>;

export class Losses {
  readonly #regions: readonly SimRegion[];
  readonly #nodesOf: (region: RegionId) => readonly (SimNode | null)[];
  readonly #nowMs: () => number;
  /** What regions that were set back had until then. */
  readonly #before = new Map<SimRegion, readonly Positions[]>();
  readonly #lastMs = new Map<SimRegion, number>();
  readonly all: Loss[] = [];

  constructor(
    regions: readonly SimRegion[],
    nodesOf: (region: RegionId) => readonly (SimNode | null)[],
    nowMs: () => number,
  ) {
    this.#regions = regions;
    this.#nodesOf = nodesOf;
    this.#nowMs = nowMs;
  }

  destroyed(region: SimRegion, withLog: boolean): void {
    const shown = this.#shownBy(region, !withLog && !region.hasLostLog);
    this.all.push({ ...shown, withLog, kept: 0n });
    this.#lost(region);
  }

  /** The copy is put back. */
  setBack(region: SimRegion, { putBack, copied, at, isEmptied }: Copy): void {
    // A log that lies in the database goes back with it.
    const shown = this.#shownBy(region, !region.hasLostLog && !region.isLogInside);
    const { positions } = region.records.tables;
    const before = new Map(this.#regions.map(({ id }) => [id, positions.get(id) ?? []]));
    this.#before.set(region, [...(region.isWhole ? [] : (this.#before.get(region) ?? [])), before]);
    region.lives.setBack(copied, at);
    this.#lost(region);
    putBack();
    if (isEmptied) region.lives.emptied(copied);
    this.all.push({ ...shown, withLog: false, kept: region.lives.kept(shown.life.incarnation) });
  }

  /** Whether a database was lost, or set back, at that moment or later. */
  isLostSince(region: SimRegion, atMs: number): boolean {
    return (this.#lastMs.get(region) ?? -1) >= atMs;
  }

  #shownBy(region: SimRegion, isLogKept: boolean): Omit<Loss, 'withLog' | 'kept'> {
    const atMs = this.#nowMs();
    return {
      region,
      life: region.identity,
      atMs,
      isClockKnown: knowsOwnClock(region, atMs),
      setBacks: [...region.clock.setBacks],
      shownMs: shownThen(this.#nodesOf(region.id), isLogKept),
      held: this.#regions
        .filter((each) => each !== region && !each.isGone)
        .flatMap((by) => this.#heldBy(by, region.id)),
      gone: this.#regions
        .filter((each) => each !== region && each.isGone && !region.records.isClosed(each.id))
        .map((each) => each.records.tables.positions.get(region.id) ?? []),
    };
  }

  #heldBy(by: SimRegion, origin: RegionId): readonly HeldThen[] {
    const rows = by.records.tables.positions.get(origin) ?? [];
    const past = by.isWhole ? [] : (this.#before.get(by) ?? []);
    return [
      { by, rows, isPast: false },
      ...past.map((positions) => ({ by, rows: positions.get(origin) ?? [], isPast: true })),
    ];
  }

  /** What was emptied and is not filled has nothing but what its peers have, and its log. */
  #lost(region: SimRegion): void {
    this.#lastMs.set(region, this.#nowMs());
    for (const other of this.#regions) {
      if (other === region || other.refills.donor === null) continue;
      other.lives.emptied(other.identity.incarnation);
      this.#lastMs.set(other, this.#nowMs());
    }
  }
}
