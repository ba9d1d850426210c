/**
 * Regions that retire one another in histories from a seed (P8): operators close regions here and there with different
 * wishes, also a second one and an heir, while survivors hear each other now and then, ask in any order of questions and
 * answers, take changes that were on their way and fetch tails from one another. In the end everybody is heard. The
 * engine's own rules on stores in memory decide; `Flaw` takes one of them away.
 */
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Agreement, RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { RetirementWord } from '@isthmus/replication/ports/retirement-witness';
import { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import { lacking } from '@isthmus/replication/vector';
import { Random } from '../simulation/random.ts';
import { MemoryRegion, silent } from './memory-region.ts';

export type Flaw = 'everybody has the heir of its own wish' | 'appliers go on after the close';

const incarnation = { counter: 1, nonce: 1 };
const partitions = [0, 1];
const names = ['ap', 'eu', 'me', 'sa', 'us'];
/** In virtual milliseconds. */
const longestAnswer = 30;

export class RetirementModel {
  /** Of every region that is closed, what each survivor took for the end of it. */
  readonly agreed = new Map<RegionId, readonly Agreement[]>();
  readonly #random: Random;
  readonly #flaw: Flaw | null;
  readonly #timer = new ManualTimer();
  readonly #regions: readonly MemoryRegion[];
  readonly #agreeing = new Map<RegionId, Agreeing>();
  readonly #turns: Promise<void>[] = [];
  #reachable = 0.8;

  constructor(seed: number, flaw: Flaw | null = null) {
    this.#random = new Random(seed);
    this.#flaw = flaw;
    const count = 3 + this.#random.int(names.length - 2);
    this.#regions = names.slice(0, count).map((name) => new MemoryRegion(name, this.#timer));
    for (const region of this.#regions) this.#agreeing.set(region.self.region, this.#agreeingOf(region));
  }

  async run(steps: number): Promise<void> {
    await this.#begin();
    for (let step = 0; step < steps; step++) {
      await this.#step();
      await this.#timer.advance(this.#random.int(longestAnswer));
    }
    this.#reachable = 1;
    for (let round = 0; round < 25; round++) {
      for (const region of this.#regions) this.#turn(region);
      await this.#timer.advance(10 * longestAnswer);
      await this.#shareTails();
    }
    await Promise.all(this.#turns);
    await this.#judge();
  }

  /** Everybody has all of what each wrote, or a part of it. */
  async #begin(): Promise<void> {
    const isEven = this.#random.chance(0.5);
    for (const { records } of this.#regions)
      for (const { self } of this.#regions)
        for (const partition of partitions) {
          const lsn = BigInt(isEven ? 20 : 1 + this.#random.int(20));
          const at = { applied: lsn, settled: lsn, beat: null, nextOffset: 0n };
          await records.createPosition({ origin: self.region, incarnation, partition, ...at });
        }
  }

  async #step(): Promise<void> {
    const region = this.#pick();
    const other = this.#pick();
    if (this.#random.chance(0.1)) return this.#close(region, other);
    if (this.#random.chance(0.3)) return this.#apply(region, other);
    if (this.#random.chance(0.1)) return this.#fetchTail(region, other);
    this.#turn(region);
  }

  /** At most two of three regions go, so that somebody is left to agree; and nobody who is gone closes others. */
  async #close(at: MemoryRegion, gone: MemoryRegion): Promise<void> {
    const everywhere = new Set((await Promise.all(this.#regions.map(closedAt))).flat());
    const isNew = !everywhere.has(gone.self.region);
    if (at === gone || everywhere.has(at.self.region)) return;
    if (isNew && everywhere.size >= this.#regions.length - 2) return;
    const wish = this.#random.chance(0.5) ? this.#pick().self.region : null;
    await at.retirements.close(gone.self.region, wish);
  }

  /** A change of the other that was on its way. */
  async #apply({ records, retirements }: MemoryRegion, { self }: MemoryRegion): Promise<void> {
    const partition = this.#random.pick([0, 1]);
    const row = (await records.positions(self.region)).find((each) => each.partition === partition);
    if (row === undefined) return;
    const isClosed = (await retirements.all()).some(({ region }) => region === self.region);
    const applied = row.applied + 1n;
    const at = { incarnation, partition, expected: row.applied, applied, beat: null, nextOffset: 0n };
    const decide = () => ({ writes: [], deadLetters: [] });
    if (isClosed && this.#flaw === 'appliers go on after the close')
      return records.createPosition({
        ...row,
        incarnation: { counter: 2, nonce: 1 },
        settled: applied,
        applied,
      });
    await records.applyRemote({ origin: self.region, positions: [at], ids: [], decide });
  }

  /** What the donor has of the regions that the receiver has closed. */
  async #fetchTail(receiver: MemoryRegion, donor: MemoryRegion): Promise<void> {
    const closed = await closedAt(receiver);
    if (receiver === donor || closed.includes(donor.self.region)) return;
    for (const gone of closed) {
      const job = await receiver.jobs.want({
        donor: donor.self.region,
        origin: gone,
        cause: 'tail',
        isDryRun: false,
      });
      const vector = await donor.retirements.position(gone);
      const parts = {
        region: receiver.self.region,
        given: [],
        whole: [],
        beats: [],
        floorMs: 0,
        partitionOf: () => 0,
        decide: () => [],
      };
      await receiver.transfers.raise({ ...parts, job, vector });
      await receiver.jobs.end(job, { state: 'done', detail: '' });
    }
  }

  async #shareTails(): Promise<void> {
    for (const receiver of this.#regions)
      for (const donor of this.#regions) await this.#fetchTail(receiver, donor);
  }

  #turn(region: MemoryRegion): void {
    this.#turns.push(this.#turnOf(region));
  }

  /** As the region's own process does it: whoever hears that it is gone itself does nothing more. */
  async #turnOf(asker: MemoryRegion): Promise<void> {
    const told = new Map<RegionId, readonly RegionId[]>();
    for (const peer of this.#othersOf(asker))
      if (await this.#isHeard()) told.set(peer.self.region, await closedAt(peer));
    const self = asker.self.region;
    const own = await closedAt(asker);
    if (own.includes(self) || [...told.values()].some((closed) => closed.includes(self))) {
      await asker.retirements.close(self, null);
      return;
    }
    await this.#agreeing.get(self)?.hear(told);
    await this.#agreeing.get(self)?.turn();
  }

  #agreeingOf(region: MemoryRegion): Agreeing {
    const { self, retirements } = region;
    return new Agreeing({
      region: self.region,
      peers: this.#othersOf(region).map((peer) => peer.self.region),
      store: this.#storeOf(retirements),
      witness: { wordOf: (peer, gone) => this.#wordOf(peer, gone) },
      logger: silent,
    });
  }

  #storeOf(store: RetirementStore): RetirementStore {
    return {
      all: () => store.all(),
      position: (region) => store.position(region),
      close: (region, wish) => store.close(region, wish),
      retire: async (region, agreed, closed) => {
        const retired = await store.all();
        const wish = retired.find((each) => each.region === region)?.wish ?? null;
        const isOwn = this.#flaw === 'everybody has the heir of its own wish' && wish !== null;
        return store.retire(region, isOwn ? { ...agreed, heir: wish } : agreed, closed);
      },
    };
  }

  async #wordOf(peer: RegionId, gone: RegionId): Promise<RetirementWord | null> {
    if (!(await this.#isHeard())) return null;
    const word = (await this.#agreeing.get(peer)?.word(gone)) ?? null;
    return (await this.#isHeard()) ? word : null;
  }

  /** After a while. */
  async #isHeard(): Promise<boolean> {
    const afterMs = this.#random.int(longestAnswer);
    const isHeard = this.#random.chance(this.#reachable);
    await new Promise<void>((resolve) => void this.#timer.after(afterMs, resolve));
    return isHeard;
  }

  async #judge(): Promise<void> {
    const everywhere = new Set((await Promise.all(this.#regions.map(closedAt))).flat());
    const survivors = this.#regions.filter(({ self }) => !everywhere.has(self.region));
    for (const gone of everywhere) {
      const ends = await Promise.all(
        survivors.map(async ({ self, retirements }) => {
          const found = (await retirements.all()).find(({ region }) => region === gone);
          if (found === undefined || found.final === null || found.heir === null)
            throw new TypeError(`${self.region} has not agreed on ${gone}`);
          if (!found.isReached) throw new TypeError(`${self.region} lacks some of what is kept of ${gone}`);
          if (lacking(found.final, await retirements.position(gone)) !== null)
            throw new TypeError(`${self.region} has more of ${gone} than is kept`);
          return { final: found.final, heir: found.heir };
        }),
      );
      this.agreed.set(gone, ends);
      const [first] = ends;
      for (const { final, heir } of ends)
        if (
          first === undefined ||
          heir !== first.heir ||
          lacking(final, first.final) !== null ||
          lacking(first.final, final) !== null
        )
          throw new TypeError(`two ends of ${gone}`);
    }
  }

  #othersOf(region: MemoryRegion): readonly MemoryRegion[] {
    return this.#regions.filter((each) => each !== region);
  }

  #pick(): MemoryRegion {
    const [first, ...rest] = this.#regions;
    if (first === undefined) throw new TypeError('a world has regions');
    return this.#random.pick([first, ...rest]);
  }
}

async function closedAt({ retirements }: MemoryRegion): Promise<readonly RegionId[]> {
  return (await retirements.all()).map(({ region }) => region);
}
