/**
 * A whole system: regions with their servers, processes with the shipped engine in them, and the links between. It
 * replaces processes that die, as a supervisor does, and knows for every region whether anything is wrong with the
 * region itself.
 */
import { assert, ReplicationError } from '@isthmus/replication/errors';
import type { Guard } from '@isthmus/replication/guard/write-guard';
import type { RecordId } from '@isthmus/replication/ports/change';
import { type Incarnation, type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { Donor } from '@isthmus/replication/transfer/donor';
import type { Violation } from '../checkers/history.ts';
import type { Step } from './faults.ts';
import { slotOf } from './faults.ts';
import { OffsetNews } from './clock-excuse.ts';
import { GaugeWatch } from './gauge-watch.ts';
import { IncidentJudge } from './judge-incidents.ts';
import { JoiningJudge } from './judge-joining.ts';
import { judgeNode } from './judge.ts';
import { Link } from './link.ts';
import { type Copy, Losses } from './losses.ts';
import { Oracle } from './oracle.ts';
import { Random } from './random.ts';
import { RegionClock } from './region-clock.ts';
import type { Scenario } from './scenario.ts';
import { Scheduler } from './scheduler.ts';
import { type NodeWorld, SimNode } from './sim-node.ts';
import type { SimProcess } from './sim-process.ts';
import { Operator } from './sim-operator.ts';
import type { Asking } from './sim-peer-client.ts';
import { SimRegion } from './sim-region.ts';
import { SimSeals } from './sim-seals.ts';
import type { SimRetiring } from './sim-retirement.ts';
import { Trace } from './trace.ts';

const localLatencyMs = 0.5;
/** How long an operator takes who is called. */
const operatorMs = 3000;

interface Armed extends Step {
  readonly fire: (slot: number) => void;
}

export class World implements NodeWorld {
  readonly scheduler = new Scheduler();
  readonly trace: Trace;
  readonly oracle: Oracle;
  readonly random: Random;
  readonly scenario: Scenario;
  readonly violations: Violation[] = [];
  readonly coverage = new Map<string, number>();
  readonly losses: Losses;
  /** Regions that an operator has retired, and when that was asked for. */
  readonly retired = new Map<RegionId, number>();
  readonly gauges = new GaugeWatch(this);
  /** Records that a database has lost and must get back. */
  readonly lostRows: { readonly region: SimRegion; readonly id: RecordId }[] = [];
  readonly offsets = new OffsetNews();
  readonly incidents = new IncidentJudge(this);
  readonly regions: readonly SimRegion[];
  readonly operator = new Operator(this);
  readonly seals: SimSeals;
  /** Of the region that came late, where it can be judged. */
  joining: JoiningJudge | null = null;
  readonly #refusedAtMs = new Map<SimRegion, number>();
  readonly #links = new Map<string, Link>();
  readonly #nodes = new Map<RegionId, (SimNode | null)[]>();
  readonly #disturbances = new Map<RegionId, number>();
  readonly #armed = new Map<RegionId, Armed>();
  #born = 0;

  constructor(scenario: Scenario, write: ((line: string) => void) | null) {
    this.scenario = scenario;
    this.random = new Random(scenario.seed).split('world');
    this.trace = new Trace(() => this.scheduler.nowMs, write);
    this.oracle = new Oracle(
      () => this.scheduler.nowMs,
      (point) => this.seen(point),
    );
    const names = Array.from({ length: scenario.regions }, (_, index) => regionName(index));
    this.seals = new SimSeals(names.map((region) => ({ region, key: 0 })));
    this.regions = names.map((region, index) => this.#region(region, names, index));
    const nodesOf = (region: RegionId) => this.nodesOf(region);
    this.losses = new Losses(this.regions, nodesOf, () => this.scheduler.nowMs);
    for (const from of names) for (const to of names) this.#links.set(`${from} ${to}`, this.#link(from, to));
  }

  get isGuarded(): boolean {
    return this.scenario.isGuarded;
  }

  get isHealing(): boolean {
    return this.scenario.isHealing;
  }

  get isRetiring(): boolean {
    return this.scenario.retiring !== null;
  }

  get isOperated(): boolean {
    return this.scenario.faults.some(({ kind }) => kind === 'drain' || kind === 'refill');
  }

  get guard(): Guard {
    return this.scenario.guard;
  }

  get logger(): Logger {
    const note = (_: unknown, message: string): void => this.trace.note('feed', message);
    return { debug: note, info: note, warn: note, error: note };
  }

  start(): void {
    const { processes, joining } = this.scenario;
    const late = joining === null ? undefined : this.regions.at(-1);
    for (const region of this.regions) {
      const nodes = Array.from({ length: processes }, () => (region === late ? null : this.#node(region)));
      this.#nodes.set(region.id, nodes);
      this.#checkpoint(region);
    }
    if (joining !== null && late !== undefined)
      this.scheduler.after(joining.atMs, () => this.#join(late, joining.isCalm));
  }

  #join(region: SimRegion, isCalm: boolean): void {
    if (region.isGone) return;
    if (isCalm) this.joining = new JoiningJudge(this, region);
    this.disturb(region.id);
    const nodes = this.#nodes.get(region.id) ?? [];
    for (const slot of nodes.keys()) nodes[slot] = this.#node(region);
  }

  /** Databases save what their slots have confirmed, now and then. */
  #checkpoint(region: SimRegion): void {
    this.scheduler.after(this.random.between(2000, 30_000), () => {
      region.database.wal.checkpoint();
      this.#checkpoint(region);
    });
  }

  readonly seen = (point: string): void => {
    this.coverage.set(point, (this.coverage.get(point) ?? 0) + 1);
  };

  readonly failpoint = (process: SimProcess, step: string, moment: 'before' | 'after'): void => {
    if (this.#armed.size === 0) return;
    for (const [region, armed] of this.#armed) {
      if (armed.step !== step || armed.moment !== moment) continue;
      const slot = slotOf(this.nodesOf(region), process);
      if (slot === null) continue;
      this.#armed.delete(region);
      armed.fire(slot);
      return;
    }
  };

  readonly isServed = (region: RegionId): boolean =>
    this.nodesOf(region).some((node) => node?.isOpen ?? false);

  readonly onAsked = (asking: Asking): void => this.joining?.asked(asking);

  readonly dataAgeMs = (region: RegionId, caller: RegionId): number | null =>
    this.nodesOf(region)
      .find((node) => node?.isOpen ?? false)
      ?.links.dataAgeMs(caller) ?? null;

  readonly donorOf = (region: RegionId): Donor | null =>
    this.nodesOf(region).find((node) => node?.isOpen ?? false)?.donor ?? null;

  readonly retiringOf = (region: RegionId): SimRetiring | null =>
    this.nodesOf(region).find((node) => node?.isOpen ?? false)?.retiring ?? null;

  /** Where neither database nor log has lost anything, the one continues the other, and to refuse it is wrong. */
  readonly onRefused = (region: SimRegion, reason: string): void => {
    if (!this.#refusedAtMs.has(region)) this.#refusedAtMs.set(region, this.scheduler.nowMs);
    // It is made another incarnation because an operator wants it filled anew.
    if (region.refills.isEmptying) return;
    if (/has received beat|has applied changes|knows the region as/.test(reason))
      this.seen('peers testified');
    this.seen('identity refused');
    if (!region.hasLostLog && !region.isGone && !region.lives.isSetBack(region.identity.incarnation))
      this.violations.push({ checker: 'identity', key: region.id, detail: reason });
    this.scheduler.after(operatorMs, () => this.operator.overrule(region));
  };

  readonly onAdopted = (region: SimRegion, claim: Incarnation): void => {
    this.seen('incarnation changed');
    region.lives.began(claim);
    // Nobody replicates for a database that is refused, so nobody looks at its clock.
    region.clock.heardAgain(this.#refusedAtMs.get(region) ?? this.scheduler.nowMs);
    this.#refusedAtMs.delete(region);
    if (region.refills.donor === null) return;
    this.seen('region filled anew');
    region.isSetBack = true;
  };

  readonly onCut = (region: SimRegion): void => {
    this.seen('region drained');
    this.disturb(region.id);
    region.postgres.cutConnections();
  };

  /** The process is opened again, as another. */
  readonly reopen = (node: SimNode): void => {
    const nodes = this.#nodes.get(node.region.id) ?? [];
    const slot = nodes.indexOf(node);
    if (slot === -1) return;
    node.process.kill();
    nodes[slot] = this.#node(node.region);
    this.disturb(node.region.id);
  };

  readonly judge = (node: SimNode): void => judgeNode(this, node);

  get survivors(): readonly SimRegion[] {
    return this.regions.filter(({ isGone }) => !isGone);
  }

  regionAt(index: number): SimRegion {
    const region = this.regions[index % this.regions.length];
    assert(region !== undefined, `region ${index}`);
    return region;
  }

  regionOf(id: RegionId): SimRegion {
    const region = this.regions.find((candidate) => candidate.id === id);
    assert(region !== undefined, `no region ${id}`);
    return region;
  }

  linkBetween(caller: RegionId, callee: RegionId): Link {
    const link = this.#links.get(`${caller} ${callee}`);
    assert(link !== undefined, `no link from ${caller} to ${callee}`);
    return link;
  }

  nodesOf(region: RegionId): readonly (SimNode | null)[] {
    return this.#nodes.get(region) ?? [];
  }

  /** A process that takes writes; `null` while there is none. */
  openNode(region: number): SimNode | null {
    const open = this.nodesOf(this.regionAt(region).id).filter((node) => node?.isOpen ?? false);
    return open[this.random.int(open.length)] ?? null;
  }

  /** Something is done to the region itself, or undone. */
  disturb(region: RegionId): void {
    this.#disturbances.set(region, this.disturbancesOf(region) + 1);
  }

  disturbancesOf(region: RegionId): number {
    return this.#disturbances.get(region) ?? 0;
  }

  isSound(region: RegionId): boolean {
    const of = this.regionOf(region);
    return (
      !of.isGone &&
      of.postgres.isSound &&
      of.isItself &&
      of.row.row.drained === null &&
      this.nodesOf(region).every((node) => node?.isOpen ?? false)
    );
  }

  /** The process dies and is replaced after a while, or when the returned function is called. */
  killNode(region: RegionId, slot: number, downMs: number): () => void {
    const nodes = this.#nodes.get(region);
    assert(nodes !== undefined, `no processes of ${region}`);
    const { nowMs: sinceMs } = this.scheduler;
    nodes[slot]?.process.kill();
    nodes[slot] = null;
    const revive = (): void => {
      const of = this.regionOf(region);
      if (nodes[slot] !== null || of.isGone) return;
      of.clock.heardAgain(sinceMs);
      nodes[slot] = this.#node(of);
      this.disturb(region);
    };
    this.scheduler.after(downMs, revive);
    return revive;
  }

  /** A process of the region is killed when it comes to this step; the returned function takes that back. */
  arm(region: RegionId, step: Step, fire: (slot: number) => void): () => void {
    const armed = { ...step, fire };
    this.#armed.set(region, armed);
    return () => {
      if (this.#armed.get(region) === armed) this.#armed.delete(region);
    };
  }

  /** For good, and never the last region. */
  destroy(region: SimRegion, { withLog }: { readonly withLog: boolean }): void {
    if (this.survivors.length < 2) return;
    const nodes = this.#nodes.get(region.id) ?? [];
    this.losses.destroyed(region, withLog);
    region.goneAtMs = this.scheduler.nowMs;
    for (const [slot, node] of nodes.entries()) {
      node?.process.kill();
      nodes[slot] = null;
    }
    region.postgres.goDown();
    if (!withLog) return;
    region.isLogGone = true;
    region.kafka.goDown();
    region.log.stop();
    const { retiring } = this.scenario;
    if (retiring !== null) this.scheduler.after(retiring.afterMs, () => void this.#retire(region.id));
  }

  /** The operator asks some survivor, and another one where that does not answer in time: nobody has to be asked twice. */
  async #retire(region: RegionId, askedAtMs = this.scheduler.nowMs): Promise<void> {
    if (this.retired.has(region)) return;
    this.scheduler.after(operatorMs, () => void this.#retire(region, askedAtMs));
    const served = this.survivors.flatMap(({ id }) => this.retiringOf(id) ?? []);
    const asked = served[this.random.int(served.length)];
    if (asked === undefined) return;
    try {
      await asked.close(region);
      if (!this.retired.has(region)) this.retired.set(region, askedAtMs);
    } catch (reason) {
      if (!(reason instanceof ReplicationError)) throw reason;
    }
  }

  /** Its processes go on, and must not write before the database has become another incarnation (P9). */
  restore(region: SimRegion, copy: Copy): void {
    // Whether there is a copy is asked first, and a write that came meanwhile finds another database.
    this.disturb(region.id);
    region.isSetBack = true;
    this.losses.setBack(region, copy);
    if (region.isLogInside) region.lostLogAtMs = this.scheduler.nowMs;
    region.clock.heardAgain(copy.atMs);
    this.offsets.setBack(region.id, copy.atMs);
    region.postgres.startAnew();
    this.seen('database restored');
    for (const retired of this.retired.keys()) void this.#retireAgain(retired);
  }

  /** Where no database knows of it any more, nobody is left who could tell another one. */
  async #retireAgain(region: RegionId): Promise<void> {
    for (const survivor of this.survivors)
      if ((await survivor.retirements.all()).some((each) => each.region === region)) return;
    this.seen('retired again');
    this.retired.delete(region);
    await this.#retire(region);
  }

  #region(region: RegionId, names: readonly RegionId[], index: number): SimRegion {
    const { clocks, partitions } = this.scenario;
    const { offsetMs, driftRate } = clocks[index] ?? { offsetMs: 0, driftRate: 0 };
    const random = this.random.split(region);
    const incarnation = { counter: 1, nonce: random.int(2 ** 32) };
    const clock = new RegionClock(() => this.scheduler.nowMs, offsetMs, driftRate);
    const peers = names.filter((name) => name !== region);
    const { seals } = this;
    const { isLogInside } = this.scenario;
    const identity = { region, incarnation, partitionCount: partitions };
    return new SimRegion(identity, peers, { clock, random, seals, isLogInside });
  }

  /** That to the own log is short. */
  #link(from: RegionId, to: RegionId): Link {
    const latencyMs = from === to ? localLatencyMs : this.scenario.linkLatencyMs;
    const random = this.random.split(`${from} ${to}`);
    return new Link({ latencyMs, jitterMs: latencyMs / 10, lossRate: 0 }, random);
  }

  #node(region: SimRegion): SimNode {
    const node = new SimNode(region, `${region.id}#${this.#born++}`, this);
    node.start();
    return node;
  }
}

function regionName(index: number): RegionId {
  const name = parseRegionId(['eu', 'us', 'asia', 'africa', 'oceania'][index] ?? `r${index}`);
  assert(name !== null, 'a region name');
  return name;
}
