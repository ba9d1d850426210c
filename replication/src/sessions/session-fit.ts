/**
 * How much of a session is handed out, so that none is ever larger than what is taken in (P5, I12). All of it, as long as
 * that fits. Then the lives of regions that are over are left out, of each region the oldest first: what a region lacks of a
 * life that many others came after is not waited for any more. Where even the newest lives do not fit, which takes
 * several regions with hundreds of partitions under load, each of these is asked for in all its partitions as far as in
 * the furthest of them: more than was seen, so nobody goes back in time, and what is asked for comes with the next beat.
 * Pure.
 */
import type { Lsn } from '../ports/change.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';

/** Of one life of a region. */
export interface SeenLife {
  readonly counter: number;
  readonly nonce: number;
  readonly places: SeenPlace[];
}

interface SeenPlace {
  readonly partition: number;
  readonly lsn: Lsn;
}

export type SeenLives = ReadonlyMap<RegionId, readonly SeenLife[]>;

/** Both vectors of a session. */
export interface Seen {
  readonly vector: SeenLives;
  readonly ahead: SeenLives;
}

/** What `attempt` makes of the largest part that it does not answer with `null`; `null`: nothing fits. */
export function ofLargestPart<T>(seen: Seen, attempt: (part: Seen) => T | null): T | null {
  const whole = attempt(seen);
  if (whole !== null) return whole;
  const ordered = mapped(seen, newestFirst);
  const ofNewest = (count: number): T | null => attempt(mapped(ordered, (lives) => lives.slice(0, count)));
  let best = ofNewest(1);
  if (best === null) return attempt(mapped(ordered, (lives) => lives.slice(0, 1).map(evened)));
  // More lives never take less room.
  let [fits, tooMany] = [1, Math.max(mostLives(seen.vector), mostLives(seen.ahead))];
  while (tooMany - fits > 1) {
    const count = Math.floor((fits + tooMany) / 2);
    const part = ofNewest(count);
    if (part === null) tooMany = count;
    else [fits, best] = [count, part];
  }
  return best;
}

/** In the order in which they come. */
export function livesOf(vector: Vector): SeenLives {
  const regions = new Map<RegionId, SeenLife[]>();
  const known = new Map<string, SeenLife>();
  let last: { readonly region: RegionId; readonly life: SeenLife } | null = null;
  for (const entry of vector) {
    // Those of one life mostly stand together.
    const life: SeenLife =
      last !== null && last.region === entry.region && isOf(last.life, entry)
        ? last.life
        : lifeIn(regions, known, entry);
    life.places.push(entry);
    last = { region: entry.region, life };
  }
  return regions;
}

function isOf({ counter, nonce }: SeenLife, { incarnation }: VectorEntry): boolean {
  return incarnation.counter === counter && incarnation.nonce === nonce;
}

function lifeIn(
  regions: Map<RegionId, SeenLife[]>,
  known: Map<string, SeenLife>,
  { region, incarnation: { counter, nonce } }: VectorEntry,
): SeenLife {
  const name = `${region} ${counter} ${nonce}`;
  const found = known.get(name);
  if (found !== undefined) return found;
  const life = { counter, nonce, places: [] };
  known.set(name, life);
  const lives = regions.get(region);
  if (lives === undefined) regions.set(region, [life]);
  else lives.push(life);
  return life;
}

type Part = (lives: readonly SeenLife[]) => readonly SeenLife[];

function mapped({ vector, ahead }: Seen, part: Part): Seen {
  const of = (lives: SeenLives): SeenLives =>
    new Map([...lives].map(([region, all]) => [region, part(all)] as const));
  return { vector: of(vector), ahead: of(ahead) };
}

function newestFirst(lives: readonly SeenLife[]): readonly SeenLife[] {
  return lives.toSorted((a, b) => b.counter - a.counter);
}

function mostLives(lives: SeenLives): number {
  return Math.max(0, ...[...lives.values()].map(({ length }) => length));
}

function evened(life: SeenLife): SeenLife {
  const furthest = life.places.reduce((most, { lsn }) => (lsn > most ? lsn : most), 0n);
  return { ...life, places: life.places.map(({ partition }) => ({ partition, lsn: furthest })) };
}
