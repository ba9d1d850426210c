/**
 * Whether this region was retired by its peers (P8). What it writes from then on is taken by nobody, so it must not
 * acknowledge another write: the first peer that says so closes the region in its own database as well, and from then on
 * no restart forgets that. A process that dies before its database took the word is told again by the next peer that it
 * reaches. It asks before the first write and once a second after that; a region that no peer answers goes on writing,
 * because nobody can tell it better. It never takes the word back.
 */
import { orNextTurn } from '../next-turn.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { RetirementStore } from '../ports/retirement-store.ts';
import type { RetirementWitness } from '../ports/retirement-witness.ts';
import type { Timer } from '../ports/timer.ts';
import { Ticker } from '../ticker.ts';

export interface OwnRetirementOptions {
  readonly region: RegionId;
  readonly peers: readonly RegionId[];
  readonly store: Pick<RetirementStore, 'all' | 'close'>;
  readonly witness: RetirementWitness;
  readonly timer: Timer;
  readonly logger: Logger;
}

const intervalMs = 1000;

export class OwnRetirement {
  readonly #options: OwnRetirementOptions;
  readonly #look: () => Promise<void>;
  readonly #ticker: Ticker;
  #isRetired = false;
  #isStored = false;
  #closed: readonly RegionId[] = [];

  constructor(options: OwnRetirementOptions) {
    const { timer, logger } = options;
    this.#options = options;
    this.#look = orNextTurn(
      () => this.#ask(),
      (err) => logger.debug({ err }, 'whether this region was retired is looked at again'),
    );
    this.#ticker = new Ticker({ timer, intervalMs, run: this.#look });
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Regions that are closed here, as last read; this one may be among them. */
  get closed(): readonly RegionId[] {
    return this.#closed;
  }

  start(): void {
    this.#ticker.start();
  }

  stop(): Promise<void> {
    return this.#ticker.stop();
  }

  /** Resolves when the database and every peer that answers were asked. */
  look(): Promise<void> {
    return this.#look();
  }

  async #ask(): Promise<void> {
    const { region, store } = this.#options;
    this.#closed = (await store.all()).map((retired) => retired.region);
    this.#isStored ||= this.#closed.includes(region);
    this.#isRetired ||= this.#isStored || (await this.#isToldSo());
    if (!this.#isRetired || this.#isStored) return;
    await store.close(region);
    this.#isStored = true;
  }

  async #isToldSo(): Promise<boolean> {
    const { region, peers, witness, logger } = this.#options;
    const told = await Promise.all(peers.map((peer) => witness.closedAt(peer)));
    const by = peers.filter((_, index) => told[index]?.includes(region) === true);
    if (by.length > 0) logger.error({ by }, 'this region was retired by its peers; it takes no more writes');
    return by.length > 0;
  }
}
