/**
 * The judgement at the end of a run: after the faults are over every region must come to hold everything, soon, and
 * then what the regions show is held against what clients were told. What the engine cannot repair is excused only
 * where it says so itself: a partition that stands at a gap, a change among the dead letters, the tail of a region
 * that was destroyed, whose age its RPO must have covered.
 */
import { liveHash } from '@isthmus/conflict';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { OpenDeadLetter } from '@isthmus/replication/ports/dead-letter-store';
import type { PositionRow } from '@isthmus/replication/ports/record-store';
import { checkAvailability } from '../checkers/availability.ts';
import { checkBounded } from '../checkers/bounded.ts';
import { checkConvergence } from '../checkers/convergence.ts';
import { checkCounters } from '../checkers/counters.ts';
import { checkDeletes } from '../checkers/deletes.ts';
import type { History, Violation } from '../checkers/history.ts';
import { checkInserts } from '../checkers/inserts.ts';
import { checkRegisters } from '../checkers/registers.ts';
import { checkSets } from '../checkers/sets.ts';
import { capabilities } from './capabilities.ts';
import { judgeLogs } from './judge-log.ts';
import { retirementFaults } from './judge-retired.ts';
import type { Life } from './past-lives.ts';
import type { SimRegion } from './sim-region.ts';
import { collection, things } from './workload.ts';
import type { Workload } from './workload.ts';
import {
  appliedOf,
  excusedIn,
  isOver,
  lacksHeld,
  lacksLogged,
  lettersAt,
  lossesIn,
  partitionsOf,
  settledOf,
} from './verdict-loss.ts';
import type { World } from './world.ts';

const localAnswerMs = 250;

export class Verdict {
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Whether every region holds all that it can get. */
  async isSettled(): Promise<boolean> {
    await this.#giveUpStranded();
    const { survivors, lostRows } = this.#world;
    for (const { region, id } of lostRows) if ((await region.records.read(id)) === null) return false;
    for (const target of survivors) {
      if (!this.#world.isServed(target.id) || (await this.#waits(target)).length > 0) return false;
      if ((await this.#isFetching(target)) || (await lacksHeld(this.#world, target))) return false;
      for (const origin of this.#world.regions) {
        if (origin === target || origin.isGone) continue;
        if ((await this.#missing(target, origin)).length > 0) return false;
      }
    }
    return (await retirementFaults(this.#world)).length === 0;
  }

  /** What was in no log comes by a transfer, which may have to wait before it asks its donor again. */
  async #isFetching(target: SimRegion): Promise<boolean> {
    const open = await target.jobs.open();
    return open.some(({ donor }) => this.#world.survivors.some(({ id }) => id === donor));
  }

  /** `sessions`: what callers with sessions added, which are judged apart by what they were shown. */
  async violations(workload: Workload, sessions: History): Promise<readonly Violation[]> {
    const world = this.#world;
    const excused = await excusedIn(world);
    const all = workload.history;
    const history = [...all, ...sessions].filter(
      ({ operation }) => !excused.has(`${collection}/${operation.key}`),
    );
    const found: Violation[] = [...world.violations, ...world.oracle.violations];
    found.push(...(await lossesIn(world)), ...(await this.#unsettled()), ...(await retirementFaults(world)));
    found.push(...checkAvailability(all, localAnswerMs));
    const hashes = new Map<string, ReadonlyMap<string, string>>();
    for (const region of world.survivors) {
      const shown = await shownBy(region, excused);
      hashes.set(region.id, shown.hashes);
      found.push(...checkShown(history, shown).map((violation) => at(region, violation)));
    }
    found.push(...checkConvergence(hashes), ...this.#needlessGaps(), ...judgeLogs(world));
    return found;
  }

  /**
   * Whoever was set back behind what is collected, and finds it in no log, has to be filled anew by an operator (P6); so
   * has who did not wait for the peer that would have given it, or learnt its past from one that was set back itself, to a copy
   * with more, after that; and in a world without transfers who waits for what nothing
   * else brings. That takes more time than a world has: from then on the region counts as destroyed.
   */
  async #giveUpStranded(): Promise<void> {
    const world = this.#world;
    const isLogLost =
      world.coverage.has('fault: lose-slot') ||
      world.regions.some(({ hasLostLog, isLogGone }) => hasLostLog || isLogGone);
    for (const region of world.survivors) {
      if (!region.isSetBack || world.survivors.length < 2) continue;
      if (region.isWhole && !region.hasLearntAlone && !this.#isBeforeAnother(region)) continue;
      if (!(world.isHealing ? await this.#isStranded(region, isLogLost) : this.#isNeverGiven(region)))
        continue;
      world.seen('region stranded');
      region.goneAtMs = world.scheduler.nowMs;
    }
  }

  /** A peer was set back later than the region was. */
  #isBeforeAnother(region: SimRegion): boolean {
    const lastMs = (of: SimRegion): number =>
      Math.max(0, ...this.#world.losses.all.filter((loss) => loss.region === of).map(({ atMs }) => atMs));
    return this.#world.survivors.some((peer) => peer !== region && lastMs(peer) > lastMs(region));
  }

  async #isStranded(region: SimRegion, isLogLost: boolean): Promise<boolean> {
    if (!isLogLost && !this.#standsAnywhere(region)) return false;
    return (await region.jobs.recent()).some(({ state }) => state === 'failed');
  }

  /** It had said that it holds a life of a peer, and what came before that life is in no log. */
  #isNeverGiven({ id, records }: SimRegion): boolean {
    const isWaiting = this.#world
      .nodesOf(id)
      .some((node) => node?.replicator.relearning?.kind === 'promised');
    return isWaiting && records.tables.awaited.size > 0;
  }

  /** Partitions of the origin whose changes are not all settled, and that do not say why. */
  async #missing(target: SimRegion, origin: SimRegion): Promise<readonly number[]> {
    const rows = await target.records.positions(origin.id);
    const letters = await lettersAt(target);
    return partitionsOf(origin).filter(
      (partition) =>
        origin.lives.all.some((life) => this.#isBehind(rows, { origin, life, partition, letters })) &&
        !this.#isGapExcused(target, origin, partition),
    );
  }

  /** What stands behind a change that was put aside is there and not settled. Of a life that is over, no more can be settled than the log was told; what it has lost comes without positions. */
  #isBehind(
    rows: readonly PositionRow[],
    of: {
      readonly origin: SimRegion;
      readonly life: Life;
      readonly partition: number;
      readonly letters: readonly OpenDeadLetter[];
    },
  ): boolean {
    const { origin, life, partition, letters } = of;
    const isHeldBack = letters.some(
      (letter) => letter.origin === origin.id && letter.partition === partition,
    );
    const reach = isHeldBack ? appliedOf(rows, life, partition) : settledOf(rows, life, partition);
    const [next] = this.#world.oracle.beyond(life, partition, reach);
    if (next === undefined) return false;
    if (!isOver(origin, life)) return true;
    return !origin.hasLostLog && next.end <= origin.lives.logged(life.incarnation, partition);
  }

  /** Whoever needs every peer to know its past waits for one that is gone (P9), and whoever was told too much for a letter. */
  async #waits(region: SimRegion): Promise<readonly string[]> {
    const kinds = new Set(this.#world.nodesOf(region.id).map((node) => node?.replicator.relearning?.kind));
    // A donor has collected on a promise that what is put aside now, by a clock that was set right, keeps from being kept.
    const isRefused = async () =>
      kinds.has('fetching') && (await region.jobs.recent()).some(({ state }) => state === 'failed');
    const isKeptFromPromise = kinds.has('promised') || (await isRefused());
    if (isKeptFromPromise && (await lettersAt(region)).length > 0) return [];
    const isComplete = this.#world.regions.every(({ isGone }) => !isGone);
    const isLearning = !region.isWhole && isComplete;
    // A refill is done once the past is learnt, which may wait for a region that is gone and was not retired.
    const isFilled = (await region.refills.find())?.state === 'learning' && !region.isWhole;
    const isAskedOf = (await region.isAsked()) && (isComplete || !isFilled);
    const isAsked = this.#world.operator.isAsking(region.id) || isAskedOf;
    return [
      ...(isLearning ? ['it has not learnt its past'] : []),
      ...((await lacksLogged(this.#world, region)) ? ['it lacks what its own log holds of its past'] : []),
      ...(isAsked ? ['what an operator asks of it is not done'] : []),
    ];
  }

  #isGapExcused(target: SimRegion, origin: SimRegion, partition: number): boolean {
    return !capabilities.transfer && this.#stands(target, origin.id, partition);
  }

  /** The target says that it stands at a gap, or that it cannot read on because the origin does not publish. */
  #stands(target: SimRegion, origin: RegionId, partition: number): boolean {
    return this.#world.nodesOf(target.id).some((node) => {
      const status = node?.replicator.origins.find((candidate) => candidate.origin === origin);
      return status?.readings[partition]?.kind === 'gap';
    });
  }

  #standsAnywhere(target: SimRegion): boolean {
    const origins = this.#world.regions.filter(({ id }) => id !== target.id);
    return origins.some((origin) =>
      partitionsOf(origin).some((partition) => this.#stands(target, origin.id, partition)),
    );
  }

  async #unsettled(): Promise<readonly Violation[]> {
    const found: Violation[] = [];
    const { regions, survivors } = this.#world;
    for (const target of survivors) {
      for (const detail of await this.#waits(target))
        found.push({ checker: 'catches up', key: target.id, detail });
      for (const origin of regions) {
        if (origin === target || origin.isGone) continue;
        const missing = await this.#missing(target, origin);
        if (missing.length === 0) continue;
        const detail = `partitions ${missing.join(' ')} are not settled, and nothing says why`;
        found.push({ checker: 'catches up', key: `${target.id} of ${origin.id}`, detail });
      }
    }
    return found;
  }

  /** Without a fault that takes something out of a log, nothing can be missing from it. */
  #needlessGaps(): readonly Violation[] {
    const { coverage } = this.#world;
    const isDue = ['drop-oldest', 'drop-newest', 'recreate-topic', 'lose-slot'].some((kind) =>
      coverage.has(`fault: ${kind}`),
    );
    if (isDue) return [];
    // Who has no position yet and is set beyond the beginning of a log asks for a transfer at once (P2).
    const isSetForward = coverage.has('fault: offsets-forward');
    const isExcused = (point: string): boolean => isSetForward && point.endsWith('no-position');
    return [...coverage]
      .filter(([point]) => point.startsWith('gap seen') && !isExcused(point))
      .map(([point, count]) => ({
        checker: 'gaps',
        key: point,
        detail: `${count} times, and nothing was lost`,
      }));
  }
}

interface Shown {
  readonly hashes: ReadonlyMap<string, string>;
  readonly counters: ReadonlyMap<string, number>;
  readonly registers: ReadonlyMap<string, string>;
  readonly inserts: ReadonlySet<string>;
  readonly sets: ReadonlyMap<string, ReadonlySet<string>>;
  readonly stocks: ReadonlyMap<string, number>;
  readonly mortals: ReadonlyMap<string, string>;
}

async function shownBy(region: SimRegion, excused: ReadonlySet<string>): Promise<Shown> {
  const shown = {
    hashes: new Map<string, string>(),
    counters: new Map<string, number>(),
    registers: new Map<string, string>(),
    inserts: new Set<string>(),
    sets: new Map<string, Set<string>>(),
    stocks: new Map<string, number>(),
    mortals: new Map<string, string>(),
  };
  for await (const chunk of region.records.scan(collection))
    for (const { key, state } of chunk) {
      const { value } = things.read(state);
      if (value === null || excused.has(`${collection}/${key}`)) continue;
      shown.hashes.set(key, Buffer.from(liveHash(state, key)).toString('hex'));
      const title = typeof value.title === 'string' ? value.title : '';
      if (key.startsWith('counter')) shown.counters.set(key, value.count);
      else if (key.startsWith('register')) shown.registers.set(key, title);
      else if (key.startsWith('insert')) shown.inserts.add(key);
      else if (key.startsWith('set') || key.startsWith('session'))
        shown.sets.set(key, new Set(value.tags.map(String)));
      else if (key.startsWith('stock')) shown.stocks.set(key, value.stock);
      // A delete that came before a creation which it had not seen leaves the record, and perhaps nothing in it.
      else if (title !== '') shown.mortals.set(key, title);
    }
  return shown;
}

function checkShown(history: History, shown: Shown): readonly Violation[] {
  return [
    ...checkCounters(history, shown.counters),
    ...checkRegisters(history, shown.registers),
    ...checkInserts(history, shown.inserts),
    ...checkSets(history, shown.sets),
    ...checkBounded(history, shown.stocks),
    ...checkDeletes(history, shown.mortals),
  ];
}

function at(region: SimRegion, violation: Violation): Violation {
  return { ...violation, key: `${violation.key} at ${region.id}` };
}
