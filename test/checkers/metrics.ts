/**
 * I10: what a region says about its lag and its RPO against the truth. An age is right within the larger of one second
 * and five per cent; it may never be below the age of the oldest change that is missing, nor above that of the newest
 * beat that is there, and unknown counts as unbounded. A number of changes may not be below that of the changes that are
 * missing, nor above that of those that can be. When a region is lost, its RPO was never lower than the loss.
 */
import type { Violation } from './history.ts';

export interface Reading {
  readonly gauge: string;
  /** `us of eu`, for people. */
  readonly place: string;
}

export interface GaugeReading extends Reading {
  readonly gauge: 'lag' | 'rpo';
  /** `null`: unknown. */
  readonly shownMs: number | null;
  /** Age of the oldest change that is missing; 0 where none is. */
  readonly leastMs: number;
  /** Age of the newest beat that is known to be there; infinite without one. */
  readonly mostMs: number;
}

export function checkGauge({ gauge, place, shownMs, leastMs, mostMs }: GaugeReading): Violation | null {
  if (shownMs === null) return null;
  const slack = (ageMs: number): number => Math.max(1000, 0.05 * ageMs);
  const isLow = shownMs < leastMs - (gauge === 'rpo' ? readingErrorMs : slack(leastMs));
  const isHigh = shownMs > mostMs + slack(mostMs);
  if (!isLow && !isHigh) return null;
  const truth = `${Math.round(leastMs)} to ${Math.round(mostMs)}`;
  return {
    checker: 'metrics',
    key: place,
    detail: `${gauge} of ${Math.round(shownMs)} ms, in truth ${truth}`,
  };
}

export interface CountReading extends Reading {
  readonly gauge: 'backlog' | 'rpo changes';
  /** `null`: unknown. */
  readonly shown: number | null;
  readonly least: number;
  /** Infinite: not known. */
  readonly most: number;
}

/** A number of changes is exact, so only time is given slack, by whoever says what is least and most. */
export function checkCount({ gauge, place, shown, least, most }: CountReading): Violation | null {
  if (shown === null || (shown >= least && shown <= most * 1.05)) return null;
  return { checker: 'metrics', key: place, detail: `${gauge} of ${shown}, in truth ${least} to ${most}` };
}

/** Two readings of one clock differ by this at most. */
const readingErrorMs = 50;

/** `shown` is the RPO in changes at the moment of the loss; `null`: unknown. */
export function checkLostChanges(
  place: string,
  { shown, least }: Pick<CountReading, 'shown' | 'least'>,
): Violation | null {
  if (shown === null || least <= shown) return null;
  return { checker: 'loss', key: place, detail: `lost ${least} changes with an RPO of ${shown}` };
}

/** `shownMs` is the RPO at the moment of the loss; `null`: unknown. */
export function checkLoss(place: string, shownMs: number | null, lostMs: number): Violation | null {
  if (shownMs === null || lostMs <= shownMs + readingErrorMs) return null;
  const detail = `lost ${Math.round(lostMs)} ms of writes with an RPO of ${Math.round(shownMs)} ms`;
  return { checker: 'loss', key: place, detail };
}
