/**
 * What a scenario works with: regions under load, links that can fail, and windows of faults, each of which is held
 * until enough was acknowledged in it. A region that a fault strikes is not expected to be available from then until
 * it has served again for a while; all others are, at any time.
 */
import type { Links } from '@isthmus/local/cluster';
import type { LinkCondition } from '@isthmus/local/link-proxy';
import { until } from '../until.ts';
import type { ChaosRegion } from './chaos-region.ts';
import type { Load } from './load.ts';
import type { Oracle } from './oracle.ts';
import type { Random } from '@isthmus/loadtest/random';
import type { OnEnd } from './scenario.ts';
import { type Between, Ways } from './ways.ts';

export interface StageParts {
  readonly regions: readonly ChaosRegion[];
  readonly links: Links;
  readonly load: Load;
  readonly oracle: Oracle;
  readonly seed: number;
  readonly next: Random;
  /** Where the regions keep their data. */
  readonly folder: string;
  /** Regions that do not come back. */
  readonly destroyed: readonly string[];
  readonly onEnd: OnEnd;
}

/** A fault with what happened meanwhile. */
export interface FaultWindow {
  readonly fault: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly acknowledged: number;
}

export interface FaultWork {
  readonly fault: string;
  /** Regions that cannot be expected to answer. */
  readonly strikes: readonly string[];
  /** Between whom it stands; by default it may be between any two. */
  readonly between?: Between | null;
}

/** A time in which a region is not expected to answer. */
export interface Struck {
  readonly region: string;
  readonly fromMs: number;
  toMs: number;
}

export const leastOverlap = 1000;
const overlapDeadlineMs = 90_000;
const recoveryDeadlineMs = 60_000;
/** Queued work is done and connections are made again by then. */
const afterRecoveryMs = 3000;
const calmAfterMs = 6000;

export class Stage {
  readonly parts: StageParts;
  readonly windows: FaultWindow[] = [];
  readonly struck: Struck[] = [];
  readonly #ways = new Ways(calmAfterMs);
  #open = 0;
  #calmFromMs = performance.now() + calmAfterMs;

  constructor(parts: StageParts) {
    this.parts = parts;
  }

  /** No fault is on, and none was for a while. */
  get isCalm(): boolean {
    return this.#open === 0 && performance.now() > this.#calmFromMs;
  }

  /** No fault is on that stands between the two, and none was for a while. */
  isWhole(one: string, other: string): boolean {
    return this.#ways.isWhole(one, other, performance.now());
  }

  region(name: string): ChaosRegion {
    const found = this.parts.regions.find((region) => region.name === name);
    if (found === undefined) throw new Error(`there is no region ${name}`);
    return found;
  }

  setLink(origin: string, target: string, condition: LinkCondition): void {
    const link = this.parts.links.find(origin, target);
    if (link === undefined) throw new Error(`there is no link from ${origin} to ${target}`);
    link.set(condition);
  }

  /** Both ways. */
  setLinks(one: string, other: string, condition: LinkCondition): void {
    this.setLink(one, other, condition);
    this.setLink(other, one, condition);
  }

  /** The work begins the fault, waits for `overlap` while it is on, and ends it. */
  async during(
    { fault, strikes, between = null }: FaultWork,
    work: (overlap: (leastMs: number) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const { load } = this.parts;
    const fromMs = performance.now();
    const before = load.acknowledged();
    const struck = strikes.map((region): Struck => ({ region, fromMs, toMs: Number.POSITIVE_INFINITY }));
    this.struck.push(...struck);
    this.#open += 1;
    this.#ways.begin(between);
    await work((leastMs) =>
      until(`${leastOverlap} writes while ${fault}`, leastMs + overlapDeadlineMs, () => {
        const isLong = performance.now() - fromMs >= leastMs;
        return isLong && load.acknowledged() - before >= leastOverlap;
      }).then(() => undefined),
    );
    const toMs = performance.now();
    this.windows.push({ fault, fromMs, toMs, acknowledged: load.acknowledged() - before });
    for (const each of struck) await this.#recovered(each);
    const lastMs = Math.max(toMs, ...struck.map((each) => each.toMs).filter(Number.isFinite));
    this.#open -= 1;
    this.#calmFromMs = lastMs + calmAfterMs;
    this.#ways.end(between, lastMs);
  }

  async #recovered(struck: Struck): Promise<void> {
    const { load, destroyed } = this.parts;
    const { region } = struck;
    if (destroyed.includes(region)) return;
    const before = load.acknowledged(region);
    await until(
      `${region} serves writes again`,
      recoveryDeadlineMs,
      () => load.acknowledged(region) > before + 20,
    );
    struck.toMs = performance.now() + afterRecoveryMs;
  }
}
