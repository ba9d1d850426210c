/** The contracts of change sink, change feed, control log, own log and change source on the simulator's own. */
import { assert } from '@isthmus/replication/errors';
import type { Beat, Change, Lsn } from '@isthmus/replication/ports/change';
import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import { expect } from 'vitest';
import { Link } from '../simulation/link.ts';
import { Random } from '../simulation/random.ts';
import { RegionClock } from '../simulation/region-clock.ts';
import { SimControlLog, SimOwnLog } from '../simulation/sim-identity.ts';
import { type FeedWorld, SimChangeFeed, SimChangeSink } from '../simulation/sim-kafka.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SimRegion } from '../simulation/sim-region.ts';
import { SimSeals } from '../simulation/sim-seals.ts';
import { changeSinkFeedContract, type LogBench, partitionCount } from './change-sink-feed.contract.ts';
import { changeOf, changeSourceContract, type SourceBench } from './change-source.contract.ts';
import { controlLogContract } from './control-log.contract.ts';
import { ownLogContract } from './own-log.contract.ts';
import { PassingTime } from './passing-time.ts';
import { region } from './record-store.contract.ts';
import { SimulatedRegion } from './simulated-region.ts';

const name = 'the simulator';
const random = new Random(1);
const reader = region('eu');

class SimulatedLogs implements LogBench {
  readonly isOverSockets = false;
  /** Virtual time is faster, by how much depends on the machine. */
  readonly silenceNoticedMs = 20_000;
  readonly warnings: string[] = [];
  readonly #time = new PassingTime();
  readonly #regions = new Map<RegionId, SimRegion>();
  readonly #links = new Map<RegionId, Link>();
  readonly #world: FeedWorld;
  #opened = 0;

  constructor() {
    const warn = (_: unknown, message: string): void => void this.warnings.push(message);
    const quiet = (): void => undefined;
    this.#world = {
      ...this.#time.world,
      logger: { debug: quiet, info: quiet, warn, error: quiet },
      random,
      regionOf: (id) => this.regionOf(id),
      linkBetween: (_, id) => this.#linkTo(id),
    };
  }

  async newRegion(): Promise<RegionId> {
    const id = parseRegionId(`r${this.#regions.size}`);
    assert(id !== null, 'a region');
    const incarnation = { counter: 1, nonce: 7 };
    const clock = new RegionClock(() => this.#time.scheduler.nowMs, 0, 0);
    const of = { clock, random: random.split(id), seals: new SimSeals([]), isLogInside: false };
    this.#regions.set(id, new SimRegion({ region: id, incarnation, partitionCount }, [], of));
    this.#links.set(id, new Link({ latencyMs: 5, jitterMs: 1, lossRate: 0 }, random.split(`to ${id}`)));
    return id;
  }

  regionOf(id: RegionId): SimRegion {
    const found = this.#regions.get(id);
    assert(found !== undefined, 'a region of this bench');
    return found;
  }

  sinkOf(id: RegionId): SimChangeSink {
    const place = this.regionOf(id);
    return new SimChangeSink(place, this.process(), place.open());
  }

  feedOf(_id: RegionId, _limits?: object, process = this.process()): SimChangeFeed {
    return new SimChangeFeed(reader, process, this.#world);
  }

  process(): SimProcess {
    return new SimProcess(`p${this.#opened++}`, this.#world);
  }

  get logger(): Logger {
    return this.#world.logger;
  }

  async forget(id: RegionId): Promise<void> {
    for (const partition of this.regionOf(id).log.partitions('changes') ?? [])
      partition.dropBefore(partition.end);
  }

  async dropChanges(id: RegionId): Promise<void> {
    this.regionOf(id).log.delete('changes');
  }

  async restart(): Promise<void> {
    for (const { kafka, log } of this.#regions.values()) {
      kafka.goDown();
      log.stop();
    }
    for (const { kafka, log } of this.#regions.values()) {
      kafka.comeUp();
      log.start();
    }
  }

  killAndRestart(): Promise<void> {
    return this.restart();
  }

  async freeze(): Promise<void> {
    for (const { kafka } of this.#regions.values()) kafka.freeze();
  }

  async thaw(): Promise<void> {
    for (const { kafka } of this.#regions.values()) kafka.thaw();
  }

  close(): Promise<void> {
    return this.#time.end();
  }

  #linkTo(id: RegionId): Link {
    const link = this.#links.get(id);
    assert(link !== undefined, 'a region of this bench');
    return link;
  }
}

changeSinkFeedContract(name, () => Promise.resolve(new SimulatedLogs()));

function partsOf(bench: SimulatedLogs, id: RegionId) {
  const process = bench.process();
  const feed = bench.feedOf(id, undefined, process);
  return { region: bench.regionOf(id), process, feed, logger: bench.logger };
}

controlLogContract(name, async () => {
  const bench = new SimulatedLogs();
  const id = await bench.newRegion();
  await bench.sinkOf(id).prepare(partitionCount);
  return {
    open: () => new SimControlLog(partsOf(bench, id)),
    claims: () => new SimOwnLog(partsOf(bench, id)).claims(),
    close: () => bench.close(),
  };
});

ownLogContract(name, async () => {
  const bench = new SimulatedLogs();
  return { bench, ownLogOf: (id) => new SimOwnLog(partsOf(bench, id)) };
});

class SimulatedSource implements SourceBench {
  readonly #simulated = new SimulatedRegion();
  readonly source = this.#simulated.open().source;

  async commit(changes: readonly Change[], beat?: Beat): Promise<void> {
    this.#database.transact(true, (emission) => {
      emission.changes.push(...changes);
      if (beat !== undefined) emission.beats.push(beat);
    });
  }

  async commitOthers(): Promise<void> {
    this.#database.transact(true, () => undefined);
    const failing = (): void =>
      void this.#database.transact(true, (emission) => {
        emission.changes.push(changeOf(1));
        throw new RangeError('rolled back');
      });
    expect(failing).toThrow('rolled back');
  }

  async confirmed(): Promise<Lsn> {
    return this.#database.wal.confirmed ?? 0n;
  }

  async breakStream(): Promise<void> {
    this.#simulated.region.postgres.cutConnections();
    this.#database.disconnect();
  }

  async goDown(): Promise<() => Promise<void>> {
    this.#simulated.goDown();
    return async () => this.#simulated.comeUp();
  }

  async reset(): Promise<void> {
    this.#database.wal.createSlot();
  }

  close(): Promise<void> {
    return this.#simulated.close();
  }

  get #database() {
    return this.#simulated.region.database;
  }
}

changeSourceContract(name, () => Promise.resolve(new SimulatedSource()));
