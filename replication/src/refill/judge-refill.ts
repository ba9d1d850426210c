/**
 * What a region has that no peer has, and from whom it is best filled anew (P6). Pure. A peer's offer says what its
 * snapshot holds; what an origin that answered wrote itself is safe with it. Everything else that the records here may
 * show, and all own writes, must be in the offer of some peer, or dropping the records would lose it: its lives are named,
 * so that whoever accepts that says of whom. What was applied behind a change that was put aside has not settled, and is
 * dropped all the same; so is the change itself.
 */
import { type Actor, actorOf, type RegionId, sameIncarnation } from '../ports/identity.ts';
import type { Lsn } from '../ports/change.ts';
import type { Standing } from '../ports/transfer-store.ts';
import type { Offer } from '../ports/transfer-peer.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { othersIn, ownEntries, type Self } from '../reach.ts';
import { beyond, greatestOf, outside } from '../vector.ts';

export interface RefillView {
  readonly self: Self;
  readonly standing: Pick<Standing, 'settled' | 'applied' | 'ahead' | 'isEmpty'>;
  /** Own writes all lie before this. */
  readonly ownThrough: Lsn;
  /** Of the peers that answered; the vector and who offers it. */
  readonly offers: readonly Pick<Offer, 'region' | 'incarnation' | 'vector' | 'whole'>[];
}

export interface RefillJudgement {
  /** What no peer has; empty: everything is safe. */
  readonly loss: Vector;
  /** What some peer holds. */
  readonly held: Vector;
  /** Whoever has most of what this region has; `null`: nobody answered. */
  readonly donor: RegionId | null;
}

export function judgeRefill({ self, standing, ownThrough, offers }: RefillView): RefillJudgement {
  const ours = standing.isEmpty
    ? putAside(standing)
    : [...mayHave(self, standing, offers), ...ownEntries(self, ownThrough)];
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
