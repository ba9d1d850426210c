/**
 * What operators ask of a region as a whole, as one of its processes takes part in it: its writes are taken away and given
 * back, and it is emptied and filled anew from a peer (P6). Commands come to one process; everything after that is the
 * engine's, and goes on in whichever process lives.
 */
import type { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { Draining } from '@isthmus/replication/guard/draining';
import type { IdentityGuard } from '@isthmus/replication/identity/identity-guard';
import type { Drained, DrainStore } from '@isthmus/replication/ports/drain-store';
import type { Refill, RefillStore, RefillWish } from '@isthmus/replication/ports/refill-store';
import type { TransferPeer } from '@isthmus/replication/ports/transfer-peer';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import type { Self } from '@isthmus/replication/reach';
import { Refiller } from '@isthmus/replication/refill/refiller';
import { type IdentityParts, SimPast } from './sim-identity.ts';
import type { SimPostgres } from './sim-postgres.ts';
import { SimIncarnations } from './sim-transfer.ts';

export interface WishParts extends IdentityParts {
  readonly agenda: AgendaWatch;
  readonly identity: Self;
  readonly keeper: IdentityGuard;
  readonly peer: TransferPeer;
  readonly store: TransferStore;
  readonly isRetired: () => boolean;
  /** Every connection that was open is ended. */
  readonly onCut: () => void;
}

export class SimWishes {
  readonly draining: Draining;
  readonly refills: RefillStore;
  readonly #refiller: Refiller;

  constructor(parts: WishParts) {
    const {
      agenda,
      postgres,
      process,
      keeper,
      identity: self,
      peer,
      store,
      isRetired,
      logger,
      onCut,
    } = parts;
    const { timer } = process;
    const drains = new SimDrainStore(postgres, onCut);
    this.draining = new Draining({ agenda, store: drains, timer, logger });
    this.refills = new SimRefillStore(postgres);
    this.#refiller = new Refiller({
      self,
      peers: parts.region.peers,
      peer,
      store,
      incarnations: new SimIncarnations(postgres),
      past: new SimPast(parts),
      agenda,
      refills: this.refills,
      draining: this.draining,
      renew: () => keeper.renew(),
      confirmFirst: (confirm) => keeper.confirmFirst(confirm),
      isRenewing: () => keeper.state.kind === 'renewing' || keeper.state.kind === 'renewed',
      isRetired,
      timer,
      logger,
    });
  }

  look(): Promise<void> {
    return this.draining.look();
  }

  start(): void {
    this.draining.start();
    this.#refiller.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.draining.stop(), this.#refiller.stop()]);
  }
}

/** Also on a database that is not proven. */
export class SimDrainStore implements DrainStore {
  readonly #postgres: SimPostgres;
  readonly #onCut: () => void;

  constructor(postgres: SimPostgres, onCut: () => void) {
    this.#postgres = postgres;
    this.#onCut = onCut;
  }

  get #inner(): DrainStore {
    return this.#postgres.region.drains;
  }

  find(): Promise<Drained | null> {
    return this.#postgres.read('drained', () => this.#inner.find());
  }

  begin(): Promise<void> {
    return this.#postgres.read('drain', () => this.#inner.begin());
  }

  cut(): Promise<void> {
    return this.#postgres.read('cut', async () => {
      if (this.#postgres.region.row.row.drained !== null) this.#onCut();
      await this.#inner.cut();
    });
  }

  settle(): Promise<boolean> {
    return this.#postgres.read('settle drain', () => this.#inner.settle());
  }

  end(): Promise<void> {
    return this.#postgres.read('end drain', () => this.#inner.end());
  }
}

export class SimRefillStore implements RefillStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get #inner(): RefillStore {
    return this.#postgres.region.refills;
  }

  find(): Promise<Refill | null> {
    return this.#postgres.read('refill', () => this.#inner.find());
  }

  want(wish: RefillWish): Promise<boolean> {
    return this.#postgres.read('want refill', () => this.#inner.want(wish));
  }

  drain(): Promise<boolean> {
    return this.#postgres.read('drain to refill', () => this.#inner.drain());
  }

  note(detail: string): Promise<void> {
    return this.#postgres.read('note refill', () => this.#inner.note(detail));
  }

  secured(): Promise<boolean> {
    return this.#postgres.read('secured', () => this.#inner.secured());
  }

  refuse(detail: string): Promise<boolean> {
    return this.#postgres.read('refuse refill', () => this.#inner.refuse(detail));
  }

  withdraw(detail: string): Promise<boolean> {
    return this.#postgres.read('withdraw refill', () => this.#inner.withdraw(detail));
  }

  countRecords(limit: number): Promise<number> {
    return this.#postgres.read('count records', () => this.#inner.countRecords(limit));
  }
}
