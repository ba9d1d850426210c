/** Whether a region's database is still to be filled by its peers, as one process reaches it. */
import type { JoiningStore } from '@isthmus/replication/ports/joining-store';
import type { SimPostgres } from './sim-postgres.ts';

export class SimJoiningStore implements JoiningStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  isJoining(): Promise<boolean> {
    return this.#postgres.read('joining', () => this.#postgres.region.joining.isJoining());
  }

  joined(): Promise<void> {
    return this.#postgres.commit('joined', () => this.#postgres.region.joining.joined());
  }
}
