/**
 * Who belongs to the mesh, as this process last read it (P8): the configured peers, without those that were retired. A
 * region that was closed gives nothing more, and one whose final vector is agreed on is not asked by barriers: what it
 * wrote is in what the others hold, and they are asked for all of that. Reading fails safe: what was known stays.
 */
import type { AgendaTurns, AgendaWatch } from '../agenda-watch.ts';
import type { Agenda } from '../ports/agenda-store.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Retirement } from '../ports/retirement-store.ts';

export interface MembershipOptions {
  readonly peers: readonly RegionId[];
  readonly agenda: Pick<AgendaWatch, 'last' | 'turns'>;
  /** Asked again and again until it does nothing: nothing of this region may be taken from its own log any more. */
  readonly onClosed: (region: RegionId) => void;
}

const intervalMs = 500;

export class Membership {
  readonly #options: MembershipOptions;
  readonly #turns: AgendaTurns;
  #retired: readonly Retirement[];

  constructor(options: MembershipOptions) {
    this.#options = options;
    const { agenda } = options;
    this.#retired = agenda.last?.retired ?? [];
    this.#turns = agenda.turns({ intervalMs, run: (read) => this.#take(read) });
  }

  /** Whom barriers ask. */
  members(): readonly RegionId[] {
    return this.#options.peers.filter(
      (peer) => !this.#retired.some(({ region, final }) => region === peer && final !== null),
    );
  }

  closed(): readonly RegionId[] {
    return this.#retired.map(({ region }) => region);
  }

  /** Those of which all that is kept has settled here. */
  retired(): readonly RegionId[] {
    return this.#retired.filter(({ isReached }) => isReached).map(({ region }) => region);
  }

  start(): void {
    this.#turns.start();
  }

  stop(): Promise<void> {
    return this.#turns.stop();
  }

  async #take({ retired }: Agenda): Promise<void> {
    this.#retired = retired;
    for (const region of this.closed()) this.#options.onClosed(region);
  }
}
