/** The port `AgendaStore` on Postgres: what the other stores read one by one, in one round trip. */
import type { Agenda, AgendaStore, LetterAgenda } from '../../ports/agenda-store.ts';
import type { Connections } from './connections.ts';
import { drainedOf, selectDrained } from './drain-store.ts';
import { incidentOf } from './incident-rows.ts';
import { selectOpen as selectIncidents } from './incident-store.ts';
import { refillOf, selectRefill } from './refill-store.ts';
import { retirementsOf, selectRetired } from './retirement-store.ts';
import type { Row } from './row-values.ts';
import { booleanAt, nullableAt, numberAt } from './row-values.ts';
import type { Call, Statement } from './session.ts';
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
];

export class PostgresAgendaStore implements AgendaStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async read(): Promise<Agenda> {
    const answers = await this.#connections.read((session) => session.pipeline(calls));
    const found = answers.map(({ rows }) => rows);
    const [refill, drained, retired = [], jobs = [], verifications = [], incidents = [], letters] = found;
    return {
      refill: refillOf(refill?.[0]),
      drained: drainedOf(drained?.[0]),
      retired: retirementsOf(retired),
      jobs: jobs.map(jobOf),
      verifications: verifications.map(verificationOf),
      incidents: incidents.map(incidentOf),
      letters: lettersOf(letters?.[0] ?? []),
    };
  }
}

function lettersOf(row: Row): LetterAgenda {
  return { hasFates: booleanAt(row, 0), leastStampMs: nullableAt(row, 1, numberAt) };
}
