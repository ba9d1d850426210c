/**
 * Makes the faults of a scenario happen to a world. Each begins at its moment and returns how it ends; whatever is
 * still going on when the world is healed ends then. Some of them disturb a region itself, others only what lies
 * between regions, and the difference matters: the latter must never be felt by local writers (I8).
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Link, LinkQuality } from './link.ts';
import { judgeBreak } from './judge-links.ts';
import { poison } from './poison.ts';
import { loseRow, replay, restore } from './stored-faults.ts';
import type { Random } from './random.ts';
import type { Fault, FaultKind } from './scenario.ts';
import type { SimNode } from './sim-node.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

export type End = () => void;

export interface Place {
  readonly fault: Fault;
  readonly world: World;
  readonly region: SimRegion;
  readonly other: SimRegion;
  readonly random: Random;
}

/** By then what was slow on its way is through, and nothing waits behind it. */
const settlingMs = 1000;

const nothing: End = () => undefined;

/** Places in the engine's work where a process is killed, before or after the server has done it. */
const steps = ['commit', 'apply', 'publish', 'published', 'heard', 'publish progress', 'open'] as const;

const begin: Readonly<Record<FaultKind, (place: Place) => End>> = {
  cut: (place) => cut(place, bothWays(place)),
  'cut-one-way': (place) => cut(place, [oneWay(place)]),
  clog: (place) => {
    const links = place.fault.level < 0.5 ? [oneWay(place)] : bothWays(place);
    for (const link of links) link.clog();
    return () => links.forEach((link) => link.unclog());
  },
  'lossy-link': (place) => worsen(place, { lossRate: place.fault.level * 0.4 }),
  'slow-link': (place) => worsen(place, { latencyMs: 50 + place.fault.level * 800, jitterMs: 100 }),
  flap,
  kill: ({ world, region, fault }) => {
    const slot = pick(world.nodesOf(region.id), fault.level);
    return slot === null ? nothing : world.killNode(region.id, slot, Math.min(fault.forMs, 5000));
  },
  'kill-at-step': killAtStep,
  stop: ({ world, region, fault }) => {
    const node = nodeAt(world, region.id, fault.level);
    if (node === null) return nothing;
    const sinceMs = world.scheduler.nowMs;
    node.process.stop();
    return () => {
      region.clock.heardAgain(node.process.stoppedAtMs ?? sinceMs);
      node.process.goOn();
    };
  },
  'postgres-crash': ({ region, world }) => {
    const before = region.database.wal.insert;
    region.clock.fellSilent();
    region.mayRecount = true;
    region.postgres.goDown();
    region.database.crash();
    if (region.isLogInside) region.log.stop();
    if (region.database.wal.insert < before) world.seen('crash lost unflushed commits');
    return () => {
      region.postgres.comeUp();
      heardWhereItAnswers(region);
      if (region.isLogInside) region.log.start();
    };
  },
  'postgres-freeze': ({ region }) => {
    region.clock.fellSilent();
    region.postgres.freeze();
    return () => {
      region.postgres.thaw();
      heardWhereItAnswers(region);
    };
  },
  'postgres-slow': ({ region, fault, world }) => {
    region.postgres.slowMs += 20 + fault.level * 400;
    return () => {
      region.postgres.slowMs = 0;
      region.postgres.isSettling = true;
      world.scheduler.after(settlingMs, () => {
        region.postgres.isSettling = false;
      });
    };
  },
  'postgres-flaky': ({ region, fault }) => {
    region.postgres.lossRate = 0.02 + fault.level * 0.3;
    return () => {
      region.postgres.lossRate = 0;
    };
  },
  'kafka-down': ({ region }) => {
    region.kafka.goDown();
    region.log.stop();
    return () => {
      if (region.isLogGone) return;
      region.kafka.comeUp();
      region.log.start();
    };
  },
  'kafka-freeze': ({ region }) => {
    region.kafka.freeze();
    return () => region.kafka.thaw();
  },
  'kafka-flaky': ({ region, fault }) => {
    region.kafka.lossRate = 0.02 + fault.level * 0.3;
    return () => {
      region.kafka.lossRate = 0;
    };
  },
  'clock-jump': ({ region, fault }) => {
    region.clock.jump((fault.level - 0.5) * 40_000);
    return nothing;
  },
  'clock-far-ahead': ({ region, world, fault }) => {
    const byMs = 70_000 + fault.level * 3_600_000;
    region.clock.jump(byMs);
    world.seen('clock far ahead');
    return () => region.clock.jump(-byMs);
  },
  replay,
  poison: (place) => {
    poison(place);
    return nothing;
  },
  'offsets-back': ({ world, region, other, fault }) => {
    nodeAt(world, region.id, fault.level)?.feed.shift(other.id, -1 - Math.floor(fault.level * 200));
    return nothing;
  },
  'offsets-forward': ({ world, region, other, fault }) => {
    // What is skipped shows at the next record, and of a region that is gone none comes until the reader is started anew.
    if (other.isGone) return nothing;
    nodeAt(world, region.id, fault.level)?.feed.shift(other.id, 1 + Math.floor(fault.level * 20));
    return nothing;
  },
  'drop-oldest': ({ world, region, fault, random }) => {
    region.lostLogAtMs = world.scheduler.nowMs;
    for (const partition of region.log.partitions('changes') ?? [])
      if (random.chance(0.5)) {
        const held = Number(partition.end - partition.begin);
        partition.dropBefore(partition.begin + BigInt(Math.floor(held * (0.5 + fault.level / 2))));
      }
    return nothing;
  },
  'drop-newest': ({ world, region, fault, random }) => {
    region.lostLogAtMs = world.scheduler.nowMs;
    for (const partition of region.log.partitions('changes') ?? [])
      if (random.chance(0.5)) partition.dropNewest(1 + Math.floor(fault.level * 10));
    return nothing;
  },
  'recreate-topic': ({ world, region }) => {
    if (!region.log.isRunning) return nothing;
    region.lostLogAtMs = world.scheduler.nowMs;
    region.log.delete('changes');
    region.log.create('changes', region.partitionCount);
    return nothing;
  },
  'lose-slot': ({ region }) => {
    region.mayRecount = true;
    region.database.wal.dropSlot();
    region.database.disconnect();
    return nothing;
  },
  destroy: ({ world, region }) => {
    world.destroy(region, { withLog: false });
    return nothing;
  },
  restore,
  'lose-row': loseRow,
  mute: (place) => oneWay(place).mute(),
  drain: ({ world, region }) => world.operator.drain(region),
  refill: ({ world, region, other }) => {
    world.operator.refill(region, other.id);
    return nothing;
  },
  repair: ({ region, other }) => {
    const origin = other.id;
    void region.jobs.want({ donor: origin, origin, cause: 'repair', isDryRun: false });
    return nothing;
  },
  'destroy-with-log': ({ world, region }) => {
    world.destroy(region, { withLog: true });
    return nothing;
  },
};

/** Only these are felt by writers of the region itself. */
const local: ReadonlySet<FaultKind> = new Set<FaultKind>([
  'kill',
  'kill-at-step',
  'stop',
  'postgres-crash',
  'postgres-freeze',
  'postgres-slow',
  'postgres-flaky',
  'lose-slot',
  'destroy',
  'destroy-with-log',
  'restore',
  'drain',
  'refill',
]);

export class Faults {
  readonly #world: World;
  readonly #random: Random;
  readonly #active = new Map<Fault, End>();
  #overlaps = 0;
  #isOver = false;

  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
  }

  /** How often a fault began while another one was going on. */
  get overlaps(): number {
    return this.#overlaps;
  }

  plan(faults: readonly Fault[]): void {
    for (const fault of faults) this.#world.scheduler.after(fault.atMs, () => this.#begin(fault));
  }

  /** Ends everything; nothing begins any more. */
  heal(): void {
    this.#isOver = true;
    for (const fault of Array.from(this.#active.keys())) this.#end(fault);
  }

  #begin(fault: Fault): void {
    const world = this.#world;
    const region = world.regionAt(fault.region);
    const other = world.regionAt(fault.other);
    if (this.#isOver || region.isGone) return;
    if (this.#active.size > 0) this.#overlaps++;
    world.trace.note('fault', fault.kind, fault.region);
    world.seen(`fault: ${fault.kind}`);
    if (local.has(fault.kind)) world.disturb(region.id);
    const end = begin[fault.kind]({ fault, world, region, other, random: this.#random });
    const fromMs = world.scheduler.nowMs;
    world.gauges.began(fault);
    this.#active.set(fault, () => {
      end();
      world.gauges.over(fault);
      world.incidents.over(fault, fromMs);
    });
    world.scheduler.after(fault.forMs, () => this.#end(fault));
  }

  #end(fault: Fault): void {
    const end = this.#active.get(fault);
    if (end === undefined) return;
    this.#active.delete(fault);
    const region = this.#world.regionAt(fault.region);
    this.#world.trace.note('fault over', fault.kind, fault.region);
    if (local.has(fault.kind)) this.#world.disturb(region.id);
    end();
  }
}

/** Of faults that overlap the first or the last may be the one that it waits for. */
function heardWhereItAnswers({ postgres, clock }: SimRegion): void {
  if (postgres.isUp && !postgres.isFrozen) clock.answers();
}

function bothWays({ world, region, other }: Place): readonly Link[] {
  return [world.linkBetween(region.id, other.id), world.linkBetween(other.id, region.id)];
}

function oneWay({ world, region, other }: Place): Link {
  return world.linkBetween(region.id, other.id);
}

function cut(place: Place, links: readonly Link[]): End {
  for (const link of links) link.cut();
  const { world, region, other, fault } = place;
  const fromMs = world.scheduler.nowMs;
  return () => {
    judgeBreak(world, { fault, region, other, fromMs });
    for (const link of links) link.mend();
  };
}

function flap(place: Place): End {
  const links = bothWays(place);
  const { world, random } = place;
  let isOver = false;
  let isCut = false;
  const turn = (): void => {
    if (isOver) return;
    isCut = !isCut;
    for (const link of links)
      if (isCut) link.cut();
      else link.mend();
    world.scheduler.after(random.between(300, 3000), turn);
  };
  turn();
  return () => {
    isOver = true;
    if (isCut) for (const link of links) link.mend();
  };
}

function worsen(place: Place, quality: Partial<LinkQuality>): End {
  const ends = bothWays(place).map((link) => link.worsen(quality));
  return () => ends.forEach((end) => end());
}

function killAtStep({ world, region, fault, random }: Place): End {
  const step = steps[Math.floor(fault.level * steps.length)] ?? 'commit';
  const moment = random.chance(0.5) ? 'before' : 'after';
  let revive: End = nothing;
  const disarm = world.arm(region.id, { step, moment }, (node) => {
    world.seen(`killed ${moment} ${step}`);
    world.disturb(region.id);
    revive = world.killNode(region.id, node, 1500);
  });
  return () => {
    disarm();
    revive();
  };
}

function nodeAt(world: World, region: RegionId, level: number): SimNode | null {
  const slot = pick(world.nodesOf(region), level);
  return slot === null ? null : (world.nodesOf(region)[slot] ?? null);
}

function pick(nodes: readonly (SimNode | null)[], level: number): number | null {
  const alive = nodes.flatMap((node, slot) => (node === null ? [] : [slot]));
  return alive[Math.floor(level * alive.length)] ?? null;
}

export type Step = { readonly step: string; readonly moment: 'before' | 'after' };

/** Which slot of its region the process runs in; `null`: it was replaced. */
export function slotOf(nodes: readonly (SimNode | null)[], process: SimProcess): number | null {
  const slot = nodes.findIndex((node) => node?.process === process);
  return slot === -1 ? null : slot;
}
