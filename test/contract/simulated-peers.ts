/** A process of the simulated region eu, its peer us, and the link between them, on virtual time that goes on by itself. */
import type { RegionId } from '@isthmus/replication/ports/identity';
import { Link } from '../simulation/link.ts';
import { Random } from '../simulation/random.ts';
import { RegionClock } from '../simulation/region-clock.ts';
import type { FeedWorld } from '../simulation/sim-kafka.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SimRegion } from '../simulation/sim-region.ts';
import { SimSeals } from '../simulation/sim-seals.ts';
import { PassingTime } from './passing-time.ts';
import { region } from './record-store.contract.ts';

const quiet = (): void => undefined;
const partitionCount = 4;

export class SimulatedPeers {
  readonly own = region('eu');
  readonly peer = region('us');
  readonly link = new Link({ latencyMs: 5, jitterMs: 1, lossRate: 0 }, new Random(1));
  readonly world: FeedWorld;
  readonly process: SimProcess;
  readonly #time = new PassingTime();
  readonly #regions: ReadonlyMap<RegionId, SimRegion>;

  constructor() {
    const others = [region('ap'), region('sa')];
    this.#regions = new Map([
      [this.own, this.#region(this.own, [this.peer, ...others])],
      [this.peer, this.#region(this.peer, [this.own, ...others])],
    ]);
    this.world = {
      ...this.#time.world,
      logger: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      random: new Random(2),
      regionOf: (id) => this.regionOf(id),
      linkBetween: () => this.link,
    };
    this.process = new SimProcess('eu#0', this.world);
  }

  regionOf(id: RegionId): SimRegion {
    const found = this.#regions.get(id);
    if (found === undefined) throw new RangeError(`no region ${id} here`);
    return found;
  }

  cut(): () => void {
    this.link.cut();
    return () => this.link.mend();
  }

  close(): Promise<void> {
    return this.#time.end();
  }

  #region(id: RegionId, peers: readonly RegionId[]): SimRegion {
    const incarnation = { counter: 1, nonce: 7 };
    const clock = new RegionClock(() => this.#time.scheduler.nowMs, 0, 0);
    const of = {
      clock,
      random: new Random(3),
      seals: new SimSeals([{ region: id, key: 0 }]),
      isLogInside: false,
    };
    return new SimRegion({ region: id, incarnation, partitionCount }, peers, of);
  }
}
