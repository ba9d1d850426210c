/**
 * The port `IncidentStore` on Postgres. A partial unique index holds a peer to one incident that has not ended, and a
 * revision in each row is what a change is compared with. Old incidents go once there are many newer ones, so the
 * table stays bounded however a link flaps (I12).
 */
import type { RegionId } from '../../ports/identity.ts';
import {
  type Incident,
  type IncidentConflict,
  type IncidentStore,
  type NewIncident,
  maxListedConflicts,
} from '../../ports/incident-store.ts';
import { textArray } from './binary-array.ts';
import type { Connections } from './connections.ts';
import { bodyOf, conflictOf, incidentOf } from './incident-rows.ts';
import type { Call, Statement } from './session.ts';

const keptIncidents = 10_000;
const columns = 'number, revision, peer, state, body::text, conflict_count';

export const selectOpen: Statement = {
  name: 'isthmus_incidents_open',
  text: `SELECT ${columns} FROM isthmus.incident WHERE NOT ended ORDER BY number`,
};

const insertIncident: Statement = {
  name: 'isthmus_incident_insert',
  text: `INSERT INTO isthmus.incident (peer, state, ended, body) VALUES ($1, $2, $3, $4::jsonb)
  ON CONFLICT DO NOTHING RETURNING ${columns}`,
};

const pruneIncidents: Statement = {
  name: 'isthmus_incidents_prune',
  text: `DELETE FROM isthmus.incident WHERE ended
  AND number <= (SELECT max(number) FROM isthmus.incident) - ${keptIncidents}`,
};

const updateIncident: Statement = {
  name: 'isthmus_incident_update',
  text: `UPDATE isthmus.incident SET state = $3, ended = $4, body = $5::jsonb, revision = revision + 1
  WHERE number = $1 AND revision = $2`,
};

const deleteIncident: Statement = {
  name: 'isthmus_incident_delete',
  text: 'DELETE FROM isthmus.incident WHERE number = $1 AND revision = $2',
};

const selectPage: Statement = {
  name: 'isthmus_incidents',
  text: `SELECT ${columns} FROM isthmus.incident WHERE number < $1 ORDER BY number DESC LIMIT $2`,
};

const selectOne: Statement = {
  name: 'isthmus_incident',
  text: `SELECT ${columns} FROM isthmus.incident WHERE number = $1`,
};

const selectConflicts: Statement = {
  name: 'isthmus_incident_conflicts',
  text: `SELECT collection, key, fields FROM isthmus.incident_conflict WHERE incident = $1
  ORDER BY collection, key LIMIT ${maxListedConflicts}`,
};

/** Parameters: the peer; collection, key and number of fields of each record in conflict. */
export const noteConflicts: Statement = {
  name: 'isthmus_incident_note',
  text: `WITH open AS (
    SELECT number, conflict_count FROM isthmus.incident WHERE peer = $1 AND NOT ended FOR NO KEY UPDATE
  ), found AS (
    SELECT * FROM unnest($2::text[], $3::text[], $4::text[]::int[]) AS found (collection, key, fields)
  ), noted AS (
    INSERT INTO isthmus.incident_conflict (incident, collection, key, fields)
    SELECT open.number, found.* FROM open, found WHERE open.conflict_count < ${maxListedConflicts}
    ON CONFLICT DO NOTHING RETURNING incident
  )
  UPDATE isthmus.incident SET conflict_count = incident.conflict_count
    + CASE WHEN open.conflict_count < ${maxListedConflicts} THEN (SELECT count(*) FROM noted)
      ELSE (SELECT count(*) FROM found) END
  FROM open WHERE incident.number = open.number`,
};

/** For the transaction that applies changes of the peer in which these conflicts were found. */
export function noteCalls(peer: RegionId, conflicts: readonly IncidentConflict[]): readonly Call[] {
  if (conflicts.length === 0) return [];
  return [
    [
      noteConflicts,
      peer,
      textArray(conflicts.map(({ collection }) => collection)),
      textArray(conflicts.map(({ key }) => key)),
      textArray(conflicts.map(({ fields }) => `${fields}`)),
    ],
  ];
}

export class PostgresIncidentStore implements IncidentStore {
  readonly #connections: Connections;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  async open(): Promise<readonly Incident[]> {
    const answer = await this.#connections.query(selectOpen);
    return answer.rows.map(incidentOf);
  }

  async create(incident: NewIncident): Promise<Incident | null> {
    const values = [incident.peer, incident.state, incident.endedAtMs !== null, bodyOf(incident)] as const;
    const [row] = await this.#connections.write(async (session) => {
      const { rows } = await session.query(insertIncident, ...values);
      await session.query(pruneIncidents);
      return rows;
    });
    return row === undefined ? null : incidentOf(row);
  }

  async replace(incident: Incident): Promise<boolean> {
    const { number, revision, state, endedAtMs } = incident;
    const body = bodyOf(incident);
    const answer = await this.#connections.write((session) =>
      session.query(updateIncident, number, revision, state, endedAtMs !== null, body),
    );
    return answer.rowCount === 1;
  }

  async drop({ number, revision }: Incident): Promise<boolean> {
    const answer = await this.#connections.write((session) =>
      session.query(deleteIncident, number, revision),
    );
    return answer.rowCount === 1;
  }

  async list(query: {
    readonly before: number | null;
    readonly limit: number;
  }): Promise<readonly Incident[]> {
    const before = query.before ?? Number.MAX_SAFE_INTEGER;
    const answer = await this.#connections.query(selectPage, before, query.limit);
    return answer.rows.map(incidentOf);
  }

  async find(number: number): Promise<Incident | null> {
    const answer = await this.#connections.query(selectOne, number);
    const [row] = answer.rows;
    return row === undefined ? null : incidentOf(row);
  }

  async conflicts(number: number): Promise<readonly IncidentConflict[]> {
    const answer = await this.#connections.query(selectConflicts, number);
    return answer.rows.map(conflictOf);
  }
}
