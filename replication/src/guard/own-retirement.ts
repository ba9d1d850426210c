/**
 * Whether this region was retired by its peers (P8). What it writes from then on is taken by nobody, so it must not
 * acknowledge another write: the first peer that says so closes the region in its own database as well, and from then on
 * no restart forgets that. A database that takes no writes at that moment is told as soon as it does; a process that dies
 * before is told again by the next peer that it reaches. It asks before the first write and once a second after that; a
 * region that no peer answers goes on writing, because nobody can tell it better. It never takes the word back. What else
 * peers have closed is handed on to whoever spreads it.
 */
import type { AgendaTurns, AgendaWatch } from '../agenda-watch.ts';
import { orNextTurn } from '../next-turn.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Logger } from '../ports/logger.ts';
import type { Retirement, RetirementStore } from '../ports/retirement-store.ts';
import type { RetirementWitness } from '../ports/retirement-witness.ts';

export interface OwnRetirementOptions {
  readonly agenda: Pick<AgendaWatch, 'turns'>;
  readonly region: RegionId;
  readonly peers: readonly RegionId[];
  readonly store: Pick<RetirementStore, 'all' | 'close'>;
  readonly witness: Pick<RetirementWitness, 'closedAt'>;
  /**
   * What was told, where this region is not among it: before the first write, because a copy of the database may not know
   * of it, and in every turn. Rejects with what the database rejects with.
   */
  readonly onTold: (told: ReadonlyMap<RegionId, readonly RegionId[]>) => Promise<void>;
  /** After that, in every turn that knows of a region which was closed, here or at a peer. */
  readonly onTurn: () => Promise<void>;
  readonly logger: Logger;
}

const intervalMs = 1000;
const ifNot = 'whether this region was retired is looked at again';

export class OwnRetirement {
  readonly #options: OwnRetirementOptions;
  readonly #look: () => Promise<void>;
  readonly #turns: AgendaTurns;
  #isRetired = false;
  #isStored = false;
  #closed: readonly RegionId[] = [];
  #storing: Promise<void> = Promise.resolve();

  constructor(options: OwnRetirementOptions) {
    this.#options = options;
    const { agenda, store, logger } = options;
    const onFailure = (err: unknown): void => logger.debug({ err }, ifNot);
    this.#look = orNextTurn(async () => void (await this.#ask(await store.all())), onFailure);
    const run = orNextTurn(({ retired }: Agenda) => this.#turn(retired), onFailure);
    this.#turns = agenda.turns({ intervalMs, run });
  }

  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Regions that are closed here, as last read; this one may be among them. */
  get closed(): readonly RegionId[] {
    return this.#closed;
  }

  start(): void {
    this.#turns.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#turns.stop(), this.#storing]);
  }

  /** The database takes writes, which it may not have done when something was told. */
  onWritable(): void {
    this.#storing = this.#look();
  }

  /** Resolves when the database and every peer that answers were asked, and what they said is stored. */
  look(): Promise<void> {
    return this.#look();
  }

  async #turn(retired: readonly Retirement[]): Promise<void> {
    const isTold = await this.#ask(retired);
    if (!this.#isRetired && (isTold || retired.length > 0)) await this.#options.onTurn();
  }

  /** True where peers told of regions that they have closed, and this is none of them. */
  async #ask(retired: readonly Retirement[]): Promise<boolean> {
    const { region, onTold } = this.#options;
    this.#closed = retired.map((each) => each.region);
    this.#isStored ||= this.#closed.includes(region);
    this.#isRetired ||= this.#isStored;
    const told = this.#isRetired ? null : await this.#told();
    if (told === null || this.#isRetired) {
      await this.#store();
      return false;
    }
    await onTold(told);
    return [...told.values()].some((closed) => closed.length > 0);
  }

  async #told(): Promise<ReadonlyMap<RegionId, readonly RegionId[]>> {
    const { region, peers, witness, logger } = this.#options;
    const answers = await Promise.all(
      peers.map(async (peer) => [peer, await witness.closedAt(peer)] as const),
    );
    const told = new Map(answers.map(([peer, closed]) => [peer, closed ?? []]));
    const by = peers.filter((peer) => told.get(peer)?.includes(region) === true);
    // Another look may have heard it meanwhile.
    this.#isRetired ||= by.length > 0;
    if (by.length > 0) logger.error({ by }, 'this region was retired by its peers; it takes no more writes');
    return told;
  }

  async #store(): Promise<void> {
    const { region, store } = this.#options;
    if (this.#isStored) return;
    await store.close(region, null);
    this.#isStored = true;
  }
}
