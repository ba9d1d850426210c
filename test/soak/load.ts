/**
 * The mixed load of a soak: increments, sets of registers, elements added and removed, whole records put and deleted,
 * at a set rate and on a fixed number of keys, so that whatever grows was not asked for. Only increments are kept, as
 * one sum for each counter and the amounts whose outcome nobody knows: an hour must fit into little memory, and a sum of
 * large random amounts tells of every lost and every doubled write.
 */
import { randomFrom, type Random } from '@isthmus/loadtest/random';
import type { Sum } from '../checkers/sums.ts';
import { isRefusedConnection, type RegionClient, type Reply, resultOf } from '../e2e/region-client.ts';

const collection = 'products';
const keysOfKind = 300;
/** So few that all sets are full before anything is judged. */
const elementsOfSet = 4;
const tickMs = 20;
/** More than this wait in a region that is away: further writes are counted as shed and not sent. */
export const maxInFlight = 64;

interface Counted {
  acknowledged: number;
  readonly unknown: number[];
}

export interface LoadTotals {
  acknowledged: number;
  refused: number;
  unknown: number;
  shed: number;
}

export class MixedLoad {
  readonly totals: LoadTotals = { acknowledged: 0, refused: 0, unknown: 0, shed: 0 };
  readonly #regions: readonly RegionClient[];
  readonly #ratePerS: number;
  readonly #next: Random;
  readonly #sums = new Map<string, Counted>();
  readonly #inFlight = new Map<string, Set<Promise<void>>>();
  #timer: NodeJS.Timeout | null = null;
  #startMs = 0;
  #drawn = 0;

  constructor(regions: readonly RegionClient[], { ratePerS, seed }: { ratePerS: number; seed: number }) {
    this.#regions = regions;
    this.#ratePerS = ratePerS;
    this.#next = randomFrom(seed);
    for (const { region } of regions) this.#inFlight.set(region, new Set());
  }

  /** What each counter must read: the acknowledged sum and some of the unknown amounts. */
  get sums(): ReadonlyMap<string, Sum> {
    return this.#sums;
  }

  start(): void {
    this.#startMs = performance.now();
    this.#timer = setInterval(() => {
      this.#tick();
    }, tickMs);
  }

  /** Resolves when nothing is in flight any more. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await Promise.all([...this.#inFlight.values()].flatMap((each) => [...each]));
  }

  #tick(): void {
    const due = Math.floor(((performance.now() - this.#startMs) / 1000) * this.#ratePerS);
    for (; this.#drawn < due; this.#drawn++) this.#issue();
  }

  #issue(): void {
    const region = this.#regions[Math.floor(this.#next() * this.#regions.length)];
    const flying = this.#inFlight.get(region?.region ?? '');
    if (region === undefined || flying === undefined) return;
    if (flying.size >= maxInFlight) {
      this.totals.shed++;
      return;
    }
    const write = this.#write(region).finally(() => flying.delete(write));
    flying.add(write);
  }

  async #write(region: RegionClient): Promise<void> {
    const at = Math.floor(this.#next() * keysOfKind);
    const choice = this.#next();
    if (choice < 0.4) return this.#increment(region, `soak-counter-${at}`);
    await this.#send(() => this.#other(region, { at, choice }));
  }

  async #increment(region: RegionClient, key: string): Promise<void> {
    const amount = 1 + Math.floor(this.#next() * 1_000_000);
    const result = await this.#send(() => region.patch(collection, key, { increment: { likes: amount } }));
    const counted = this.#sums.get(key) ?? { acknowledged: 0, unknown: [] };
    this.#sums.set(key, counted);
    if (result === 'ok') counted.acknowledged += amount;
    else if (result === 'info') counted.unknown.push(amount);
  }

  #other(region: RegionClient, { at, choice }: { at: number; choice: number }): Promise<Reply> {
    const word = `${region.region}-${this.#drawn}`;
    if (choice < 0.65) return region.patch(collection, `soak-register-${at}`, { set: { title: word } });
    const element = `tag-${this.#drawn % elementsOfSet}`;
    if (choice < 0.75) return region.patch(collection, `soak-set-${at}`, { add: { tags: [element] } });
    if (choice < 0.8) return region.patch(collection, `soak-set-${at}`, { remove: { tags: [element] } });
    if (choice < 0.93) return region.put(collection, `soak-record-${at}`, { title: word, tags: [element] });
    return region.delete(collection, `soak-record-${at}`);
  }

  async #send(write: () => Promise<Reply>): Promise<'ok' | 'fail' | 'info'> {
    // Deletes and removals are drawn blindly, and one that finds nothing was served.
    const result = await write().then(
      (reply) => (reply.status === 404 ? 'ok' : resultOf(reply)),
      (reason: unknown) => (isRefusedConnection(reason) ? 'fail' : 'info'),
    );
    if (result === 'ok') this.totals.acknowledged++;
    else if (result === 'fail') this.totals.refused++;
    else this.totals.unknown++;
    return result;
  }
}
