/**
 * What a peer holds of lives that are over and we do not (P6, P9). Whoever has read the start of a newer life takes
 * nothing of the older one out of any log, so what others have read of it and we have not comes by a transfer or never:
 * a log can lose its newest records between two readers. Of a life that goes on nothing is said here. Pure.
 */
import type { Offer } from '../ports/transfer-peer.ts';
import type { Standing } from '../ports/transfer-store.ts';
import type { Vector, VectorEntry, WholePast } from '../ports/vector.ts';
import type { Self } from '../reach.ts';
import { beyond } from '../vector.ts';

export interface MissedView {
  readonly self: Self;
  readonly standing: Pick<Standing, 'applied' | 'settled' | 'whole'>;
  readonly offer: Pick<Offer, 'vector' | 'whole'>;
}

export interface EndedView {
  readonly self: Self;
  /** Also of the own earlier lives. */
  readonly applied: Vector;
  readonly offered: Vector;
}

export function endedBeyond({ self, applied, offered }: EndedView): Vector {
  const newest = new Map<string, number>();
  for (const entry of applied) {
    const known = newest.get(streamOf(entry)) ?? 0;
    newest.set(streamOf(entry), Math.max(known, entry.incarnation.counter));
  }
  const isOver = (entry: VectorEntry): boolean => {
    const present = entry.region === self.region ? self.incarnation.counter : newest.get(streamOf(entry));
    return present !== undefined && entry.incarnation.counter < present;
  };
  return beyond(offered, applied).filter(isOver);
}

/**
 * Pasts of which this peer has something that is not here: more of a life, or all that anybody shows. Who lacks that
 * because something of it was put aside here waits for what lies aside.
 */
export function missedOf({ self, standing, offer }: MissedView): readonly WholePast[] {
  const { applied, settled, whole } = standing;
  const further = endedBeyond({ self, applied, offered: offer.vector }).map(({ region, incarnation }) => ({
    region,
    before: incarnation.counter + 1,
  }));
  if (beyond(applied, settled).length > 0) return further;
  const has = (past: WholePast): boolean =>
    whole.some(({ region, before }) => region === past.region && before >= past.before);
  return [...further, ...offer.whole.filter((past) => !has(past))];
}

function streamOf({ region, partition }: VectorEntry): string {
  return `${region} ${partition}`;
}
