/**
 * Weighs one reading of a figure after the other. That an age or a number is too low is wrong at once; too high, or
 * unknown, where it stays so, because what was read a moment before much became visible at once is right for that moment.
 * An age that was known is known from then on, for as long as both regions are what they were: time alone makes nobody
 * forget. A number may be unknown while something stands in its way, and not where nothing does.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import {
  checkCount,
  checkGauge,
  type CountReading,
  type GaugeReading,
  type Reading,
} from '../checkers/metrics.ts';
import type { Violation } from '../checkers/history.ts';
import type { Fault, FaultKind } from './scenario.ts';
import type { SimNode } from './sim-node.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

/** Between two readings that come one after the other; while a database stands still there is none. */
const successiveMs = 4000;
/** So long after the end of a fault nothing of it is left. */
const calmMs = 8000;
/** So many in a row: each is of one moment, in which a count may be on its way. */
const mostUnknown = 5;
/** Of these something may be left until the end. */
const lasting: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'drop-oldest',
  'drop-newest',
  'recreate-topic',
  'lose-slot',
  'postgres-crash',
  'restore',
  'refill',
  'drain',
  'destroy',
  'destroy-with-log',
  'clock-far-ahead',
]);

interface Trouble {
  active: number;
  /** From then on nothing stands in the way of telling. */
  freeFromMs: number;
  /** And nothing of what was wrong is left. */
  calmFromMs: number;
}

/** In a row, and when the last one was. */
interface Row {
  readonly count: number;
  readonly atMs: number;
}

export class GaugeWatch {
  readonly #world: World;
  readonly #troubles = new Map<RegionId, Trouble>();
  readonly #high = new Map<string, number>();
  readonly #unknown = new Map<string, Row>();
  /** By figure, the lives of which it was last known. */
  readonly #known = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
  }

  began(fault: Fault): void {
    for (const trouble of this.#troublesOf(fault)) {
      trouble.active++;
      if (lasting.has(fault.kind)) trouble.calmFromMs = Infinity;
    }
  }

  over(fault: Fault): void {
    const calmFromMs = this.#world.scheduler.nowMs + calmMs;
    for (const trouble of this.#troublesOf(fault)) {
      trouble.active--;
      trouble.freeFromMs = calmFromMs;
      trouble.calmFromMs = Math.max(trouble.calmFromMs, calmFromMs);
    }
  }

  /** Nothing is wrong with any of both or between them, and nothing was for a while. */
  isCalm(a: SimRegion, b: SimRegion): boolean {
    const { nowMs } = this.#world.scheduler;
    const isCalm = [a, b].every((each) => each.isWhole && nowMs >= this.#troubleOf(each.id).calmFromMs);
    return isCalm && this.isFree(a, b);
  }

  /** Nothing is going on that keeps them from telling each other what they know; something of before may be left. */
  isFree(a: SimRegion, b: SimRegion): boolean {
    const { nowMs } = this.#world.scheduler;
    return [a, b].every(({ id }) => {
      const { active, freeFromMs } = this.#troubleOf(id);
      return active === 0 && nowMs >= freeFromMs && this.#world.isServed(id);
    });
  }

  /** `lives`: what both regions are, and what the one that says it knows the other to be. */
  age(node: SimNode, lives: string, reading: GaugeReading): void {
    if (reading.shownMs === null) {
      if (this.#isForgotten(node, lives, reading)) this.#fail(reading, 'unknown, and was known before');
      return;
    }
    this.#known.set(nameOf(node, reading), lives);
    this.#unknown.delete(nameOf(node, reading));
    const violation = checkGauge(reading);
    this.#weigh(node, reading, { violation, isHigh: reading.shownMs > reading.mostMs });
  }

  count(node: SimNode, reading: CountReading, isCalm: boolean): void {
    if (reading.shown === null) {
      const { count } = this.#unknownAgain(nameOf(node, reading));
      if (isCalm && count === mostUnknown)
        this.#fail(reading, `unknown ${count} times, and nothing is wrong`);
      return;
    }
    this.#unknown.delete(nameOf(node, reading));
    this.#world.seen(`${reading.gauge} judged`);
    const violation = checkCount(reading);
    this.#weigh(node, reading, { violation, isHigh: reading.shown > reading.most });
  }

  #isForgotten(node: SimNode, lives: string, reading: GaugeReading): boolean {
    const name = nameOf(node, reading);
    const isTheSame = this.#known.get(name) === lives;
    return isTheSame && this.#unknownAgain(name).count === 2;
  }

  #unknownAgain(name: string): Row {
    const { nowMs: atMs } = this.#world.scheduler;
    const last = this.#unknown.get(name);
    const count = last !== undefined && atMs - last.atMs <= successiveMs ? last.count + 1 : 1;
    const row = { count, atMs };
    this.#unknown.set(name, row);
    return row;
  }

  #weigh(
    node: SimNode,
    reading: Reading,
    { violation, isHigh }: { readonly violation: Violation | null; readonly isHigh: boolean },
  ): void {
    const name = nameOf(node, reading);
    const { nowMs } = this.#world.scheduler;
    const wasHigh = nowMs - (this.#high.get(name) ?? -Infinity) <= successiveMs;
    if (violation !== null && isHigh) this.#high.set(name, nowMs);
    else this.#high.delete(name);
    if (violation === null || (isHigh && !wasHigh)) return;
    this.#world.violations.push({ ...violation, detail: `${violation.detail} at ${Math.round(nowMs)} ms` });
  }

  #fail({ gauge, place }: Reading, what: string): void {
    const detail = `${gauge} is ${what} at ${Math.round(this.#world.scheduler.nowMs)} ms`;
    this.#world.violations.push({ checker: 'metrics', key: place, detail });
  }

  #troublesOf({ region, other }: Fault): readonly Trouble[] {
    const ids = new Set([this.#world.regionAt(region).id, this.#world.regionAt(other).id]);
    return [...ids].map((id) => this.#troubleOf(id));
  }

  #troubleOf(id: RegionId): Trouble {
    const trouble = this.#troubles.get(id) ?? { active: 0, freeFromMs: calmMs, calmFromMs: calmMs };
    this.#troubles.set(id, trouble);
    return trouble;
  }
}

function nameOf({ process }: SimNode, { gauge, place }: Reading): string {
  return `${process.name} ${gauge} ${place}`;
}
