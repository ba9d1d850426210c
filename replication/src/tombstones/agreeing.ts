/**
 * Carries retirements from region to region (P8), so that one word at one survivor is enough: what a peer has closed is
 * closed here as well, and once every survivor has closed a region and has what the others have of it, each of them decides
 * by itself, and all the same. A survivor that was away learns everything by itself when it is back, and the others wait for
 * it. Peers that are closed themselves are not listened to. It asks whatever is not decided yet, again and again, and
 * holds nothing that a restart could lose.
 */
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { Retirement, RetirementStore } from '../ports/retirement-store.ts';
import type { RetirementWitness, RetirementWord } from '../ports/retirement-witness.ts';
import { judgeWords } from './agreement.ts';

export interface AgreeingOptions {
  readonly region: RegionId;
  readonly peers: readonly RegionId[];
  readonly store: Pick<RetirementStore, 'all' | 'position' | 'close' | 'retire'>;
  readonly witness: Pick<RetirementWitness, 'wordOf'>;
  readonly logger: Logger;
}

/** What each peer that answered has closed. */
export type Told = ReadonlyMap<RegionId, readonly RegionId[]>;

export class Agreeing {
  readonly #options: AgreeingOptions;
  #waiting: ReadonlyMap<RegionId, readonly RegionId[]> = new Map();

  constructor(options: AgreeingOptions) {
    this.#options = options;
  }

  /** Survivors that keep the end of this region from being decided, as last asked. */
  waitsFor(region: RegionId): readonly RegionId[] {
    return this.#waiting.get(region) ?? [];
  }

  /** What this region says when it is asked; `null`: it has not closed that region. */
  async word(region: RegionId): Promise<RetirementWord | null> {
    return this.#word(region, await this.#options.store.all());
  }

  /** Decides what can be decided by now. Rejects with what the database rejects with. */
  async turn(): Promise<void> {
    const { region: self, store } = this.#options;
    const retired = await store.all();
    // Who is gone itself has no say.
    const hasSay = !retired.some(({ region }) => region === self);
    const open = retired.filter(({ final }) => hasSay && final === null);
    const waiting = await Promise.all(
      open.map(async ({ region }) => [region, await this.#decide(region, retired)] as const),
    );
    this.#waiting = new Map(waiting);
  }

  /** Closes what peers have closed. Rejects with what the database rejects with. */
  async hear(told: Told): Promise<void> {
    const { region: self, peers, store, logger } = this.#options;
    if (Array.from(told.values()).every(({ length }) => length === 0)) return;
    const closed = new Set((await store.all()).map(({ region }) => region));
    // In one order everywhere, so that of two that close each other all who hear both listen to the same one.
    for (const peer of peers.toSorted()) {
      // Also where it was closed just now, on the word of one before it.
      if (closed.has(peer)) continue;
      for (const region of told.get(peer) ?? []) {
        if (region === self || closed.has(region)) continue;
        await store.close(region, null);
        closed.add(region);
        logger.warn({ region, by: peer }, 'a peer has closed a region for good; it is closed here as well');
      }
    }
  }

  /** Whom it waits for. */
  async #decide(region: RegionId, retired: readonly Retirement[]): Promise<readonly RegionId[]> {
    const { region: self, store, witness, logger } = this.#options;
    const survivors = this.#survivors(retired);
    const words = new Map<RegionId, RetirementWord>();
    await Promise.all(
      survivors.map(async (survivor) => {
        const word = survivor === self ? this.#word(region, retired) : witness.wordOf(survivor, region);
        const said = await word;
        if (said !== null) words.set(survivor, said);
      }),
    );
    const judgement = judgeWords(survivors, words);
    if (judgement.kind === 'waits') return judgement.for;
    const { agreement } = judgement;
    const { heir } = agreement;
    const closed = retired.map((each) => each.region);
    const isTaken = await store.retire(region, agreement, closed);
    if (isTaken) logger.warn({ region, heir }, 'the survivors have agreed: a region is retired');
    else logger.debug({ region }, 'what the survivors agreed on does not fit yet; it is looked at again');
    return [];
  }

  async #word(region: RegionId, retired: readonly Retirement[]): Promise<RetirementWord | null> {
    const found = retired.find((each) => each.region === region);
    if (found === undefined) return null;
    const { wish, final, heir } = found;
    return {
      survivors: this.#survivors(retired),
      position: await this.#options.store.position(region),
      wish,
      agreed: final === null || heir === null ? null : { final, heir },
    };
  }

  #survivors(retired: readonly Retirement[]): readonly RegionId[] {
    const { region: self, peers } = this.#options;
    return [self, ...peers].filter((each) => !retired.some(({ region }) => region === each)).toSorted();
  }
}
