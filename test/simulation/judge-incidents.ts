/**
 * Holds the incidents that regions write down against what was done to them and to the links between them. How many there
 * are, and what they count, is judged where a link alone was broken and nothing else had an effect on either side.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { NewIncident } from '@isthmus/replication/ports/incident-store';
import { type Breakage, checkIncidents, type DeclaredIncident, type Window } from '../checkers/incidents.ts';
import type { Violation } from '../checkers/history.ts';
import type { Fault, FaultKind } from './scenario.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

interface Done extends Window {
  readonly kind: FaultKind;
  readonly regions: readonly RegionId[];
}

/** Of these nothing is felt by anybody else than the two regions together. */
const betweenTwo: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'cut',
  'cut-one-way',
  'clog',
  'lossy-link',
  'slow-link',
  'flap',
]);
const breaking: ReadonlySet<FaultKind> = new Set<FaultKind>(['cut', 'flap']);
/** Of these a region may not be itself again before the end. */
const lasting: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'restore',
  'refill',
  'drain',
  'destroy',
  'destroy-with-log',
  'clock-far-ahead',
]);
/** Two breaks with no more between them are one: the link has not been well for long enough to end an incident. */
const togetherMs = 4000;
/** So long before and after a breakage nothing else is wrong. */
const calmMs = 20_000;

/** By then a link that is broken has been named. */
const noticedMs = 15_000;
/**
 * By then a link that is well again has proven itself, all that was written meanwhile is there, and a sweep has looked:
 * fifteen seconds may pass until one that asked while the link was cut gives up, and the next one begins after a pause.
 */
const reconciledMs = 25_000;

export class IncidentJudge {
  readonly #world: World;
  readonly #done: Done[] = [];
  readonly #declared = new Map<string, Map<number, DeclaredIncident>>();

  constructor(world: World) {
    this.#world = world;
  }

  /** A fault is over. */
  over({ kind, region, other }: Fault, fromMs: number): void {
    const world = this.#world;
    const ids = [world.regionAt(region).id, world.regionAt(other).id];
    const toMs = lasting.has(kind) ? Infinity : world.scheduler.nowMs;
    this.#done.push({ kind, regions: ids, fromMs, toMs });
  }

  /** The region has stored this. */
  stored(region: RegionId, number: number, incident: NewIncident): void {
    if (incident.declaredAtMs === null) return;
    const place = `${region} ${incident.peer}`;
    const known = this.#declared.get(place) ?? new Map<number, DeclaredIncident>();
    this.#declared.set(place, known);
    const { nowMs } = this.#world.scheduler;
    known.set(number, {
      declaredAtMs: known.get(number)?.declaredAtMs ?? nowMs,
      reconciledAtMs: incident.state === 'reconciled' ? nowMs : null,
      ...incident.writes,
    });
  }

  /** The region forgets it, as it may with a suspicion that came to nothing. */
  dropped(region: RegionId, { peer, declaredAtMs }: Pick<NewIncident, 'peer' | 'declaredAtMs'>): void {
    if (declaredAtMs === null) return;
    const detail = `forgets a declared incident at ${Math.round(this.#world.scheduler.nowMs)} ms`;
    this.#world.violations.push({ checker: 'incidents', key: `${region} of ${peer}`, detail });
  }

  violations(): readonly Violation[] {
    const { regions } = this.#world;
    return regions.flatMap((region) =>
      regions.filter((other) => other !== region).flatMap((other) => this.#between(region, other)),
    );
  }

  #between(region: SimRegion, other: SimRegion): readonly Violation[] {
    const troubles = this.#done.filter(({ kind, regions }) => {
      const touched = regions.filter((id) => id === region.id || id === other.id).length;
      return touched === 2 || (touched === 1 && !betweenTwo.has(kind));
    });
    const incidents = [...(this.#declared.get(`${region.id} ${other.id}`)?.values() ?? [])];
    return checkIncidents({
      place: `${region.id} of ${other.id}`,
      incidents,
      troubles: [...troubles, ...this.#joining([region, other])],
      breakages: this.#breakages(troubles, [region, other]),
    });
  }

  /** A region that comes late is away until then. */
  #joining(pair: readonly SimRegion[]): readonly Window[] {
    const { joining } = this.#world.scenario;
    const late = this.#world.regions.at(-1);
    return joining !== null && late !== undefined && pair.includes(late)
      ? [{ fromMs: 0, toMs: joining.atMs }]
      : [];
  }

  #breakages(
    troubles: readonly Done[],
    [region, other]: readonly [SimRegion, SimRegion],
  ): readonly Breakage[] {
    const { oracle, scenario, scheduler, seen } = this.#world;
    const mayMiscount = [region, other].some((each) => each.mayRecount || each.hasLostLog || each.isSetBack);
    if (mayMiscount || scenario.joining !== null) return [];
    const breaks = troubles.filter(({ kind }) => breaking.has(kind));
    const rest = troubles.filter(({ kind }) => !breaking.has(kind));
    const isCalm = ({ fromMs, toMs }: Window): boolean =>
      rest.every((trouble) => trouble.toMs < fromMs - calmMs || trouble.fromMs > toMs + calmMs);
    return together(breaks)
      .filter(isCalm)
      .map((window) => {
        seen('breakage judged');
        const own = (of: Window): number => oracle.changesIn(region.identity, of);
        const peer = (of: Window): number => oracle.changesIn(other.identity, of);
        const its = breaks.filter((each) => isDuring(each, window));
        const isUnbroken = its.length === 1 && its[0]?.kind === 'cut';
        const isLong = window.toMs - window.fromMs >= noticedMs;
        const isDue = scenario.isHealing && isLong && scheduler.nowMs - window.toMs >= reconciledMs;
        if (isDue && isUnbroken) seen('incident due');
        return { ...window, isUnbroken, isDue, own, peer };
      });
  }
}

function isDuring(a: Window, b: Window): boolean {
  return a.fromMs <= b.toMs && a.toMs >= b.fromMs;
}

/** Breaks that overlap or follow each other at once. */
function together(breaks: readonly Window[]): readonly Window[] {
  const joined: { fromMs: number; toMs: number }[] = [];
  for (const { fromMs, toMs } of breaks.toSorted((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last !== undefined && fromMs <= last.toMs + togetherMs) last.toMs = Math.max(last.toMs, toMs);
    else joined.push({ fromMs, toMs });
  }
  // Between two of them that lie further apart one incident may end and another begin, or not: as long as it is not over, what
  // is written during the second counts in it as well.
  return joined.filter(({ fromMs, toMs }, index) => {
    const [before, after] = [joined[index - 1], joined[index + 1]];
    const isApart = (before?.toMs ?? -Infinity) < fromMs - reconciledMs;
    return isApart && (after?.fromMs ?? Infinity) > toMs + reconciledMs;
  });
}
