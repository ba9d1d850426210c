/**
 * Retiring as one process takes part in it (P8): what its database knows of regions that are gone for good, what it asks
 * of its peers across the links, and what it answers them. An operator's command comes to one process of one survivor;
 * everything after that is the engine's.
 */
import { noAnswer } from '@isthmus/replication/adapters/memory/peer-client';
import type { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { OwnRetirement } from '@isthmus/replication/guard/own-retirement';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Logger } from '@isthmus/replication/ports/logger';
import type { Agreement, Retirement, RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { RetirementWitness, RetirementWord } from '@isthmus/replication/ports/retirement-witness';
import type { Vector } from '@isthmus/replication/ports/vector';
import { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import type { FeedWorld } from './sim-kafka.ts';
import type { SimPostgres } from './sim-postgres.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimRegion } from './sim-region.ts';

const answerTimeoutMs = 1000;

type Asked = Pick<SimRetiring, 'closedHere' | 'word'>;

export interface RetirementWorld extends FeedWorld {
  /** Of a process of the region that answers; `null`: there is none. */
  readonly retiringOf: (region: RegionId) => Asked | null;
}

export interface RetiringParts {
  readonly agenda: AgendaWatch;
  readonly region: SimRegion;
  readonly process: SimProcess;
  readonly postgres: SimPostgres;
  readonly world: RetirementWorld;
  readonly logger: Logger;
}

export class SimRetiring {
  readonly #store: RetirementStore;
  readonly #agreeing: Agreeing;
  readonly #own: OwnRetirement;

  constructor(parts: RetiringParts) {
    const { agenda, region, postgres, logger } = parts;
    this.#store = new SimRetirementStore(postgres);
    const witness = new SimRetirementWitness(parts);
    const own = { region: region.id, peers: region.peers, store: this.#store, witness, logger };
    this.#agreeing = new Agreeing(own);
    this.#own = new OwnRetirement({
      ...own,
      agenda,
      onTold: (told) => this.#agreeing.hear(told),
      onTurn: () => this.#agreeing.turn(),
    });
  }

  /** As last read. */
  get closed(): readonly RegionId[] {
    return this.#own.closed;
  }

  look(): Promise<void> {
    return this.#own.look();
  }

  start(): void {
    this.#own.start();
  }

  stop(): Promise<void> {
    return this.#own.stop();
  }

  /** An operator's command. Rejects with what the database rejects with. */
  async close(region: RegionId): Promise<void> {
    await this.#store.close(region, null);
  }

  async closedHere(): Promise<readonly RegionId[]> {
    return (await this.#store.all()).map(({ region }) => region);
  }

  word(region: RegionId): Promise<RetirementWord | null> {
    return this.#agreeing.word(region);
  }
}

export class SimRetirementStore implements RetirementStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner(): RetirementStore {
    return this.#postgres.region.retirements;
  }

  all(): Promise<readonly Retirement[]> {
    return this.#postgres.read('retired', () => this.#inner.all());
  }

  position(region: RegionId): Promise<Vector> {
    return this.#postgres.read('position of a retired region', () => this.#inner.position(region));
  }

  close(region: RegionId, wish: RegionId | null): Promise<Vector> {
    return this.#postgres.commit('close region', () => this.#inner.close(region, wish));
  }

  retire(region: RegionId, agreed: Agreement, closed: readonly RegionId[]): Promise<boolean> {
    return this.#postgres.commit('retire region', () => this.#inner.retire(region, agreed, closed));
  }
}

/** What is not answered in time, or with a failure, is no answer. */
export class SimRetirementWitness implements RetirementWitness {
  readonly #parts: Pick<RetiringParts, 'region' | 'process' | 'world'>;

  constructor(parts: Pick<RetiringParts, 'region' | 'process' | 'world'>) {
    this.#parts = parts;
  }

  closedAt(peer: RegionId): Promise<readonly RegionId[] | null> {
    return this.#ask(peer, (asked) => asked.closedHere());
  }

  wordOf(peer: RegionId, region: RegionId): Promise<RetirementWord | null> {
    return this.#ask(peer, (asked) => asked.word(region));
  }

  #ask<T>(peer: RegionId, question: (asked: Asked) => Promise<T>): Promise<T | null> {
    const { region, process, world } = this.#parts;
    if (!region.peers.includes(peer)) return Promise.resolve(null);
    const link = world.linkBetween(region.id, peer);
    return new Promise((resolve) => {
      const { epoch } = link;
      const silence = process.timer.after(answerTimeoutMs, () => resolve(null));
      const answer = (given: T | null): void =>
        void world.scheduler.after(link.delayMs(), () => {
          if (link.epoch !== epoch) return;
          process.hear(() => {
            silence();
            resolve(given);
          });
        });
      world.scheduler.after(link.delayMs(), () => {
        const asked = link.isCut ? null : world.retiringOf(peer);
        if (asked !== null) question(asked).then(answer, (reason: unknown) => answer(noAnswer(reason)));
      });
    });
  }
}
