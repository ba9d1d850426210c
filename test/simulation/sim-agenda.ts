/** What was asked of a region, as one process reads it. */
import type { Agenda, AgendaStore } from '@isthmus/replication/ports/agenda-store';
import type { SimPostgres } from './sim-postgres.ts';

export class SimAgendaStore implements AgendaStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  read(): Promise<Agenda> {
    return this.#postgres.read('agenda', () => this.#postgres.region.agenda.read());
  }
}
