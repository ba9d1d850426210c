/**
 * Incidents as rows. What a row's JSON holds is checked when it is read, because a row outlives the program that
 * wrote it; a value that does not fit is a fault of ours and must not be guessed at.
 */
import { z } from 'zod';
import { assert } from '../../errors.ts';
import {
  type Incident,
  type IncidentConflict,
  type IncidentState,
  type NewIncident,
  incidentStates,
} from '../../ports/incident-store.ts';
import { regionAt } from './positions.ts';
import type { Row } from './row-values.ts';
import { numberAt, textAt } from './row-values.ts';

const mark = z.object({
  incarnation: z.object({ counter: z.int(), nonce: z.int() }),
  beat: z.int(),
  count: z.int().nullable(),
});
const moment = z.number().nullable();
const digests = z.record(z.string(), z.string());
const body = z.object({
  startedAtMs: z.number(),
  declaredAtMs: moment,
  healedAtMs: moment,
  settledAtMs: moment,
  endedAtMs: moment,
  from: z.object({ own: mark.nullable(), peer: mark.nullable() }),
  until: z.object({ own: mark, peer: mark }).nullable(),
  writes: z.object({ own: z.int().nullable(), peer: z.int().nullable() }),
  digests: z.object({ own: digests, peer: digests }).nullable(),
});

export function bodyOf(incident: NewIncident): string {
  return JSON.stringify(body.parse(incident));
}

/** Columns: number, revision, peer, state, body as text, conflict_count. */
export function incidentOf(row: Row): Incident {
  return {
    number: numberAt(row, 0),
    revision: numberAt(row, 1),
    peer: regionAt(row, 2),
    state: stateAt(row, 3),
    ...body.parse(JSON.parse(textAt(row, 4))),
    conflictCount: numberAt(row, 5),
  };
}

export function conflictOf(row: Row): IncidentConflict {
  return { collection: textAt(row, 0), key: textAt(row, 1), fields: numberAt(row, 2) };
}

function stateAt(row: Row, column: number): IncidentState {
  const text = textAt(row, column);
  const state = incidentStates.find((known) => known === text);
  assert(state !== undefined, `no state of an incident: ${text}`);
  return state;
}
