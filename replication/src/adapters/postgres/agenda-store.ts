/**
 * The port `AgendaStore` on Postgres: what the other stores read one by one, in one round trip. A statement that fails, as
 * where somebody has locked its table by hand, takes none of the others with it: those behind it are sent once more.
 */
import type { Agenda, AgendaStore, LetterAgenda } from '../../ports/agenda-store.ts';
import { regionsOf, selectAwaited } from './awaited-past.ts';
import type { Connections } from './connections.ts';
import { drainedOf, selectDrained } from './drain-store.ts';
import { incidentOf } from './incident-rows.ts';
import { selectOpen as selectIncidents } from './incident-store.ts';
import { refillOf, selectRefill } from './refill-store.ts';
import { retirementsOf, selectRetired } from './retirement-store.ts';
import type { Row } from './row-values.ts';
import { booleanAt, nullableAt, numberAt } from './row-values.ts';
import type { Call, Session, Statement } from './session.ts';
import { jobOf, selectOpen as selectJobs } from './transfer-jobs.ts';
import { selectAll as selectVerifications, verificationOf } from './verifications.ts';

/** Each goes to the first row of an index, however many letters there are. */
export const selectLetterAgenda: Statement = {
  name: 'isthmus_agenda_letters',
  text: `SELECT EXISTS (SELECT FROM isthmus.dead_letter WHERE fate IS NOT NULL),
    (SELECT min(stamp_ms) FROM isthmus.dead_letter WHERE closed_at IS NULL AND stamp_ms IS NOT NULL)`,
};

/** The wish to fill the region anew before what it has taken away. */
const calls: readonly Call[] = [
  [selectRefill],
  [selectDrained],
  [selectRetired],
  [selectJobs],
  [selectVerifications],
  [selectIncidents],
  [selectLetterAgenda],
  [selectAwaited],
];

export class PostgresAgendaStore implements AgendaStore {
  readonly #connections: Connections;
  /** By statement, as last read. */
  #known: readonly (readonly Row[])[] = [];

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async read(): Promise<Agenda> {
    this.#known = await this.#connections.read((session) => this.#readOn(session, []));
    const [refill, drained, retired = [], jobs = [], verifications = [], incidents = [], letters, awaited] =
      this.#known;
    return {
      refill: refillOf(refill?.[0]),
      drained: drainedOf(drained?.[0]),
      retired: retirementsOf(retired),
      jobs: jobs.map(jobOf),
      verifications: verifications.map(verificationOf),
      incidents: incidents.map(incidentOf),
      letters: lettersOf(letters?.[0] ?? []),
      awaited: regionsOf(awaited ?? []),
    };
  }

  /** With what `before` could say; of a statement that fails the rows that were known stay. */
  async #readOn(session: Session, before: readonly (readonly Row[])[]): Promise<readonly (readonly Row[])[]> {
    const { answers, failure } = await session.send(calls.slice(before.length));
    const found = [...before, ...answers.map(({ rows }) => rows)];
    if (failure === null) return found;
    const known = this.#known[found.length];
    if (session.lost !== null || known === undefined) throw failure;
    return this.#readOn(session, [...found, known]);
  }
}

function lettersOf(row: Row): LetterAgenda {
  return { hasFates: booleanAt(row, 0), leastStampMs: nullableAt(row, 1, numberAt) };
}
