/**
 * Incidents for operators: partition windows in which both sides wrote, with what each wrote, the records found in
 * conflict and the digests that ended them. Windows in which one side wrote nothing are told only when asked for. Times
 * are by this region's database clock; what is not known is `null`.
 */
import { isSplitBrain } from '@isthmus/replication/links/incident-machine';
import type { RegionId } from '@isthmus/replication/ports/identity';
import {
  type Incident,
  type IncidentConflict,
  type IncidentState,
  type IncidentStore,
  maxListedConflicts,
} from '@isthmus/replication/ports/incident-store';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { FastifyRequest } from 'fastify';
import { limitParameter, pathParameter, queryParameter } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';
import { wallMs } from '../wall-time.ts';

export interface IncidentParts {
  readonly region: RegionId;
  readonly clock: Clock;
  readonly incidents: Pick<IncidentStore, 'list' | 'find' | 'conflicts'>;
}

interface IncidentAnswer {
  readonly id: string;
  readonly peer: RegionId;
  readonly state: IncidentState;
  /** `null`: the peer may have written too. */
  readonly splitBrain: boolean | null;
  readonly startedAt: string;
  readonly declaredAt: string | null;
  readonly healedAt: string | null;
  readonly endedAt: string | null;
  readonly durationSeconds: number | null;
  /** Changes of each region in the window, by its name. */
  readonly writes: Readonly<Record<string, number | null>>;
  readonly conflictCount: number;
}

interface FullIncidentAnswer extends IncidentAnswer {
  readonly conflicts: readonly IncidentConflict[];
  /** There are more records in conflict than are listed. */
  readonly conflictsTruncated: boolean;
  /** By collection and region; `null` until it has ended. */
  readonly digests: Readonly<Record<string, Readonly<Record<string, string>>>> | null;
}

/** Rows that one page looks at, however few of them it tells. */
const maxScanned = 1000;

export function addIncidentRoutes(app: Listener, parts: () => IncidentParts): void {
  app.get('/v1/incidents', (request) => list(parts(), request));
  app.get('/v1/incidents/:id', (request) => show(parts(), request));
}

async function list(parts: IncidentParts, request: FastifyRequest): Promise<unknown> {
  const limit = limitParameter(request);
  const isTold = toldIn(request);
  let before = cursorIn(request);
  const found: IncidentAnswer[] = [];
  for (let scanned = 0; scanned < maxScanned; ) {
    const page = await parts.incidents.list({ before, limit });
    for (const incident of page) {
      if (found.length === limit) return { incidents: found, next: String(before) };
      before = incident.number;
      if (isTold(incident)) found.push(answerOf(parts, incident));
    }
    scanned += page.length;
    if (page.length < limit) return { incidents: found, next: null };
  }
  return { incidents: found, next: String(before) };
}

/** A mere suspicion is nobody's business. */
function toldIn(request: FastifyRequest): (incident: Incident) => boolean {
  const include = queryParameter(request, 'include');
  if (include === 'windows') return (incident) => incident.declaredAtMs !== null;
  if (include === null)
    return (incident) => incident.declaredAtMs !== null && isSplitBrain(incident) !== false;
  throw invalid('include', {
    rule: 'one-of',
    limit: ['windows'],
    value: include.slice(0, 64),
    what: 'takes windows',
  });
}

async function show(parts: IncidentParts, request: FastifyRequest): Promise<FullIncidentAnswer> {
  const number = numberOf(pathParameter(request, 'id'));
  const incident = number === null ? null : await parts.incidents.find(number);
  if (incident === null || incident.declaredAtMs === null)
    throw new Problem('not-found', 'There is no such incident in this region.');
  const conflicts = await parts.incidents.conflicts(incident.number);
  return {
    ...answerOf(parts, incident),
    conflicts,
    conflictsTruncated: incident.conflictCount > Math.min(conflicts.length, maxListedConflicts),
    digests: digestsOf(parts.region, incident),
  };
}

function answerOf({ region, clock }: IncidentParts, incident: Incident): IncidentAnswer {
  const { number, peer, state, startedAtMs, declaredAtMs, healedAtMs, endedAtMs, writes } = incident;
  const untilMs = endedAtMs ?? wallMs(clock);
  return {
    id: String(number),
    peer,
    state,
    splitBrain: isSplitBrain(incident),
    startedAt: new Date(startedAtMs).toISOString(),
    declaredAt: rfc3339(declaredAtMs),
    healedAt: rfc3339(healedAtMs),
    endedAt: rfc3339(endedAtMs),
    durationSeconds: untilMs === null ? null : Math.max(0, untilMs - startedAtMs) / 1000,
    writes: { [region]: writes.own, [peer]: writes.peer },
    conflictCount: incident.conflictCount,
  };
}

function digestsOf(region: RegionId, { peer, digests }: Incident): FullIncidentAnswer['digests'] {
  if (digests === null) return null;
  const both = Object.entries(digests.own).map(([collection, digest]) => {
    return [collection, { [region]: digest, [peer]: digests.peer[collection] ?? '' }] as const;
  });
  return Object.fromEntries(both);
}

function cursorIn(request: FastifyRequest): number | null {
  const text = queryParameter(request, 'after');
  if (text === null) return null;
  const number = numberOf(text);
  if (number !== null) return number;
  throw new Problem('invalid-cursor', 'Send `next` of the previous page unchanged as `after`.');
}

function numberOf(text: string): number | null {
  return /^[1-9][0-9]{0,14}$/.test(text) ? Number(text) : null;
}

function rfc3339(atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString();
}
