/**
 * What a region has that no peer has, and from whom it is best filled anew (P6). Pure. A peer's offer says what its
 * snapshot holds; what an origin that answered wrote itself is safe with it. Everything else that the records here may
 * show, and all own writes, must be in the offer of some peer, or dropping the records would lose it: its lives are named,
 * so that whoever accepts that says of whom. What was applied behind a change that was put aside has not settled, and is
 * dropped all the same; so is the change itself. Of the own lives before, the records show more than positions and logs
 * say: what was never published. A peer has that once it counts the present life, or where it reaches up to where that began.
 */
import { type Actor, actorOf, type Incarnation, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { OwnPast } from '../ports/incarnation-store.ts';
import type { Lsn } from '../ports/change.ts';
import type { Standing } from '../ports/transfer-store.ts';
import type { Offer } from '../ports/transfer-peer.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { othersIn, ownEntries, type Self } from '../reach.ts';
import { beyond, greatestOf, outside } from '../vector.ts';

export interface RefillView {
  readonly self: Self;
  readonly standing: Pick<Standing, 'settled' | 'applied' | 'ahead' | 'isEmpty' | 'slot'>;
  /** Own lives that are over and still to be learnt. */
  readonly pasts: readonly OwnPast[];
  /** Own writes all lie before this. */
  readonly ownThrough: Lsn;
  /** Of the peers that answered; the vector and who offers it. */
  readonly offers: readonly Pick<Offer, 'region' | 'incarnation' | 'vector' | 'beats' | 'whole'>[];
}

/** What a database that is not its own past wrote last is at no peer, as far as anybody can tell (P1). */
export const unprovable: Lsn = 2n ** 64n - 1n;

export interface RefillJudgement {
  /** What no peer has; empty: everything is safe. */
  readonly loss: Vector;
  /** What some peer holds. */
  readonly held: Vector;
  /** Whoever has most of what this region has; `null`: nobody answered. */
  readonly donor: RegionId | null;
}

export function judgeRefill(view: RefillView): RefillJudgement {
  const { self, standing, ownThrough, offers } = view;
  const ours = standing.isEmpty
    ? putAside(standing)
    : greatestOf([...mayHave(self, standing, offers), ...ownEntries(self, ownThrough)], unpublished(view));
  const held = offers.reduce<Vector>((all, { vector }) => greatestOf(all, vector), []);
  const loss = beyond(ours, held).filter((entry) => !isAtHome(entry, offers));
  const [best] = offers
    .map(({ region, vector }) => ({ region, lacks: beyond(ours, vector).length }))
    .toSorted((a, b) => a.lacks - b.lacks);
  return { loss, held, donor: best?.region ?? null };
}

/** The lives whose changes are in it. */
export function actorsIn(vector: Vector): readonly Actor[] {
  return [...new Set(vector.map(({ region, incarnation }) => actorOf(region, incarnation)))];
}

/** Of others; how far the own life has written is told apart from it. What is shown of a past that is whole at a peer is there. */
function mayHave(
  self: Self,
  { applied, ahead }: RefillView['standing'],
  offers: RefillView['offers'],
): Vector {
  const whole = offers.flatMap((offer) => offer.whole);
  return othersIn(greatestOf(applied, outside(ahead, whole)), self);
}

/** What the own lives before may have written that went into no log; the slot of the present one begins behind it. */
function unpublished({ self, standing, pasts, offers }: RefillView): Vector {
  if (self.incarnation.counter === 1 || offers.some((offer) => countsLife(self, offer))) return [];
  const { applied, slot } = standing;
  const before = othersIn(applied, self).filter(({ region }) => region === self.region);
  const lives = new Map<Actor, Incarnation>();
  for (const { incarnation } of [...pasts, ...before])
    lives.set(actorOf(self.region, incarnation), incarnation);
  if (lives.size === 0) return ownEntries(self, unprovable);
  const isOfThisLog = slot !== null && pasts.every(({ through }) => through <= slot.from);
  const end = isOfThisLog ? slot.from : unprovable;
  return [...lives.values()].flatMap((incarnation) => ownEntries({ ...self, incarnation }, end));
}

/** Nobody tells a beat of a life before it was given what that holds of those before (0070). */
function countsLife({ region, incarnation }: Self, { beats }: RefillView['offers'][number]): boolean {
  return beats.some((of) => of.region === region && sameIncarnation(of.incarnation, incarnation));
}

/** Where no record is stored, changes may still lie aside that would have made the first. */
function putAside({ settled, applied }: RefillView['standing']): Vector {
  return beyond(applied, settled);
}

/** Nothing of a life was ever written before its beginning. */
function isAtHome({ region, incarnation, lsn }: VectorEntry, offers: RefillView['offers']): boolean {
  const isOrigin = (offer: RefillView['offers'][number]) =>
    offer.region === region && sameIncarnation(offer.incarnation, incarnation);
  return lsn === 0n || offers.some(isOrigin);
}
