/**
 * P7: what regions write down of partitions in which both sides wrote. An incident has a cause: something was done to one
 * of both regions, or to what lies between them. A link that breaks again and again has one, not one for each break. The
 * writes that it names for each side are those of the window: all of the time in which the link was broken, and no more
 * than those from a little before, when it was last known to be well, until a little after, when that was known again.
 */
import type { Violation } from './history.ts';

/** Times are those of the observer, not of the region. */
export interface DeclaredIncident {
  readonly declaredAtMs: number;
  /** When it was said to be reconciled; `null`: it never was. */
  readonly reconciledAtMs: number | null;
  readonly own: number | null;
  readonly peer: number | null;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A link was broken, once or again and again, and nothing else was wrong on either side. */
export interface Breakage extends Window {
  /** Nothing passed in all of that time; else what passed between two breaks is no part of the incident. */
  readonly isUnbroken: boolean;
  /** There was time to notice it, and time to come over it. */
  readonly isDue: boolean;
  /** Writes of each side between two times. */
  readonly own: (window: Window) => number;
  readonly peer: (window: Window) => number;
}

export interface IncidentTruth {
  /** `eu of us`, for people. */
  readonly place: string;
  readonly incidents: readonly DeclaredIncident[];
  /** Whatever was done to the two regions or between them. */
  readonly troubles: readonly Window[];
  readonly breakages: readonly Breakage[];
}

/** What was wrong may be noticed, and felt, for so long after its end. */
const lateMs = 20_000;
/** A link was last known to be well before it broke, by the age of a beat and of a reading. */
const earlyMs = 5000;

export function checkIncidents({
  place,
  incidents,
  troubles,
  breakages,
}: IncidentTruth): readonly Violation[] {
  const found: Violation[] = [];
  const fail = (detail: string): void => void found.push({ checker: 'incidents', key: place, detail });
  for (const { declaredAtMs } of incidents)
    if (!troubles.some((trouble) => isWithin(declaredAtMs, trouble, lateMs)))
      fail(`declared at ${Math.round(declaredAtMs)} ms, when nothing was wrong`);
  for (const breakage of breakages) {
    const at = `${Math.round(breakage.fromMs)} to ${Math.round(breakage.toMs)} ms`;
    const its = incidents.filter(({ declaredAtMs }) => isWithin(declaredAtMs, breakage, lateMs));
    if (its.length > 1) fail(`${its.length} incidents of a link that broke from ${at}`);
    const bothWrote = breakage.own(breakage) > 0 && breakage.peer(breakage) > 0;
    if (breakage.isDue && breakage.isUnbroken && bothWrote) {
      if (its.length === 0) fail(`no incident of a link that was broken from ${at}`);
      for (const { declaredAtMs, reconciledAtMs, own, peer } of its)
        if (declaredAtMs > breakage.toMs) fail(`declared only when the link was well that broke from ${at}`);
        else if (reconciledAtMs === null) fail(`not reconciled, of a link that was broken from ${at}`);
        else if (own === null || peer === null) fail(`does not say who wrote from ${at}`);
    }
    for (const incident of its)
      for (const side of ['own', 'peer'] as const) {
        const written = incident[side];
        if (written === null || incident.reconciledAtMs === null) continue;
        const least = breakage.isUnbroken ? breakage[side](breakage) : 0;
        const most = breakage[side](around(breakage));
        if (written < least || written > most)
          fail(`${written} writes of the ${side} side from ${at}, in truth ${least} to ${most}`);
      }
  }
  return found;
}

function isWithin(atMs: number, { fromMs, toMs }: Window, slackMs: number): boolean {
  return atMs >= fromMs && atMs <= toMs + slackMs;
}

function around({ fromMs, toMs }: Window): Window {
  return { fromMs: fromMs - earlyMs, toMs: toMs + lateMs };
}
