/**
 * What a peer holds of lives that are over and we do not (P6, P9). Whoever has read the start of a newer life takes
 * nothing of the older one out of any log, so what others have read of it and we have not comes by a transfer or never:
 * a log can lose its newest records between two readers. Of a life that goes on nothing is said here. Pure.
 */
import type { Vector, VectorEntry } from '../ports/vector.ts';
import type { Self } from '../reach.ts';
import { beyond } from '../vector.ts';

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

function streamOf({ region, partition }: VectorEntry): string {
  return `${region} ${partition}`;
}
