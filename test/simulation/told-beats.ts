/**
 * Which beats of the others each region was told, of those that its positions have passed: by these it tells its lag (P7). The
 * log brings the beats of what it brings. A transfer brings those that its donor was told, and none of a life whose past the
 * donor awaits (0074), so there are stretches that a position has passed and of which no beat is known. Nobody can tell a
 * lag by a beat that he was not told, and whoever was told it has to.
 */
import type { Lsn } from '@isthmus/replication/ports/change';
import type { Life, RegionId } from '@isthmus/replication/ports/identity';
import type { PositionRow } from '@isthmus/replication/ports/record-store';
import type { Vector, VectorEntry } from '@isthmus/replication/ports/vector';
import { placeOf } from '@isthmus/replication/vector';

type Place = Omit<VectorEntry, 'lsn'>;

/** Beyond `from`, and not beyond `to`. */
interface Stretch {
  readonly from: Lsn;
  readonly to: Lsn;
}

export interface Opened {
  /** As it is. */
  readonly donor: Life;
  /** Position of the beat that stands for its own changes. */
  readonly own: Lsn;
  readonly settled: Vector;
  /** Whether the donor awaits the past before this life. */
  readonly isAwaited: (life: Life) => boolean;
}

export interface Raised {
  readonly donor: RegionId;
  readonly vector: Vector;
  /** Positions of the target before. */
  readonly before: readonly Pick<PositionRow, 'origin' | 'incarnation' | 'partition' | 'applied'>[];
}

export class ToldBeats {
  readonly #newestBeat: (life: Life, upTo: Lsn) => Lsn;
  /** By target and place. */
  readonly #untold = new Map<string, readonly Stretch[]>();
  /** By snapshot, and then by life: the newest beat that is told with it. */
  readonly #offered = new Map<string, ReadonlyMap<string, Lsn>>();

  /** `newestBeat` gives the end of the newest beat of a life up to there; 0: there is none. */
  constructor(newestBeat: (life: Life, upTo: Lsn) => Lsn) {
    this.#newestBeat = newestBeat;
  }

  /** End of the newest beat that the target was told, of those up to its position; 0: none. */
  told(target: RegionId, place: Place, position: Lsn): Lsn {
    const untold = this.#untold.get(nameOf(target, place)) ?? [];
    let end = this.#newestBeat(place, position);
    for (;;) {
      const around = untold.find((stretch) => isIn(stretch, end));
      if (around === undefined) return end;
      end = this.#newestBeat(place, around.from);
    }
  }

  /** The log has brought this, though a transfer may have passed it before in a database that was set back since. */
  brought(target: RegionId, place: Place, { from, to }: Stretch): void {
    this.#change(target, place, (stretch) => [
      { from: stretch.from, to: least(stretch.to, from) },
      { from: greater(stretch.from, to), to: stretch.to },
    ]);
  }

  /** A donor gives from this snapshot. */
  opened({ donor, own, settled, isAwaited }: Opened): void {
    const told = new Map<string, Lsn>();
    for (const entry of settled) {
      const known = isAwaited(entry) ? 0n : this.told(donor.region, entry, entry.lsn);
      told.set(lifeOf(entry), least(known, told.get(lifeOf(entry)) ?? known));
    }
    told.set(lifeOf(donor), this.#newestBeat(donor, own));
    this.#offered.set(snapshotOf(donor, own), told);
  }

  /** By a transfer: its beats are those of the first snapshot, whose own position is the least. */
  raised(target: RegionId, { donor, vector, before }: Raised): void {
    const [own] = vector.filter(({ region }) => region === donor).toSorted(laterFirst);
    const offered = own && this.#offered.get(snapshotOf(own, own.lsn));
    for (const entry of vector) {
      const stood = before.find((row) => placeOf({ ...row, region: row.origin }) === placeOf(entry))?.applied;
      const told = offered?.get(lifeOf(entry)) ?? 0n;
      this.#change(target, entry, (stretch) =>
        isIn(stretch, told) ? [{ from: told, to: stretch.to }] : [stretch],
      );
      this.#add(target, entry, { from: greater(stood ?? 0n, told), to: entry.lsn });
    }
  }

  #add(target: RegionId, place: Place, stretch: Stretch): void {
    const known = this.#untold.get(nameOf(target, place)) ?? [];
    if (isIn(stretch, this.#newestBeat(place, stretch.to)))
      this.#untold.set(nameOf(target, place), [...known, stretch]);
  }

  #change(target: RegionId, place: Place, change: (stretch: Stretch) => readonly Stretch[]): void {
    const known = this.#untold.get(nameOf(target, place));
    if (known === undefined) return;
    const changed = known.flatMap(change).filter(({ from, to }) => from < to);
    this.#untold.set(nameOf(target, place), changed);
  }
}

function isIn({ from, to }: Stretch, position: Lsn): boolean {
  return from < position && position <= to;
}

function nameOf(target: RegionId, place: Place): string {
  return `${target} ${placeOf(place)}`;
}

function lifeOf({ region, incarnation }: Life): string {
  return `${region} ${incarnation.counter} ${incarnation.nonce}`;
}

/** The own position grows with each beat, which tells the snapshots of a donor apart. */
function snapshotOf(donor: Life, own: Lsn): string {
  return `${lifeOf(donor)} ${own}`;
}

function laterFirst(a: Life, b: Life): number {
  return b.incarnation.counter - a.incarnation.counter;
}

function least(a: Lsn, b: Lsn): Lsn {
  return a < b ? a : b;
}

function greater(a: Lsn, b: Lsn): Lsn {
  return a > b ? a : b;
}
