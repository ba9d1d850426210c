/** The sessions of a process of a region: what it reads of its database for them, and the desk that takes them in. */
import type { SessionPlace, SessionStore } from '@isthmus/replication/ports/session-store';
import type { Timer } from '@isthmus/replication/ports/timer';
import { SessionDesk, type SessionDeskOptions } from '@isthmus/replication/sessions/session-desk';
import type { SimPostgres } from './sim-postgres.ts';

/** One for all regions. */
const key = Buffer.alloc(32, 1);

export function sessionDesk(
  postgres: SimPostgres,
  self: SessionDeskOptions['self'],
  timer: Timer,
): SessionDesk {
  return new SessionDesk({ self, store: new SimSessionStore(postgres), key, timer });
}

export class SimSessionStore implements SessionStore {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  get era(): number {
    return this.#postgres.region.sessions.era;
  }

  place(): Promise<SessionPlace> {
    return this.#postgres.read('session place', () => this.#postgres.region.sessions.place());
  }
}
