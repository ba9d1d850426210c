/**
 * Conflicts for operators: which there are, one of them, and the restore of a value that is not shown. A restore is a
 * write like those of the public API: it goes through the journal under the record's row lock, is answered once it is
 * durable (I1), and is refused while the process drains.
 */
import type { Journal } from '@isthmus/replication/journal/journal';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type ApiParts, collectionOf, refuseWhileDraining } from '../api/api-parts.ts';
import { formatTag, parseConditions } from '../api/conditions.ts';
import { checkKey } from '../api/names.ts';
import { limitParameter, pathParameter, queryParameter } from '../api/requests.ts';
import type { Drain } from '../drain.ts';
import type { Listener } from '../http/listener.ts';
import {
  type ConflictAnswer,
  conflictAnswer,
  findConflict,
  noConflict,
  recordOfConflict,
} from '../records/conflict-view.ts';
import { expectObject, invalid, nameOfKind, refuseOtherMembers } from '../records/field-edit.ts';
import { recordAnswer } from '../records/record-view.ts';
import { UnreadableRecord, tooNewProblem, withRecord } from '../records/unreadable-record.ts';
import { type SiblingChoice, restoreEdit, withoutWriting } from '../records/restore-edit.ts';
import { type ConflictFilter, formatConflictCursor, parseConflictCursor } from './conflict-cursor.ts';
import { readConflictPage } from './conflict-page.ts';
import { flagParameter } from './flag-parameter.ts';

export interface ConflictParts extends Pick<ApiParts, 'collections' | 'store' | 'guards'> {
  readonly journal: Pick<Journal, 'write'>;
}

export function addConflictRoutes(app: Listener, parts: () => ConflictParts, drain: Drain): void {
  app.get('/v1/conflicts', (request) => list(parts(), request));
  app.get('/v1/conflicts/:id', (request) => show(parts(), request));
  app.post('/v1/conflicts/:id/restore', (request, reply) => restore({ ...parts(), drain }, request, reply));
}

async function list(parts: ConflictParts, request: FastifyRequest): Promise<unknown> {
  const filter = filterOf(parts, request);
  const cursor = queryParameter(request, 'after');
  const after = cursor === null ? null : parseConflictCursor(cursor, filter);
  const query = { ...filter, after, limit: limitParameter(request) };
  const { collections, store } = parts;
  const source = { collections, store, elapsedMs: () => performance.now() };
  const { conflicts, unreadable, next, scanned } = await readConflictPage(source, query);
  return {
    conflicts,
    unreadable,
    next: next === null ? null : formatConflictCursor(filter, next),
    scanned,
  };
}

function filterOf(parts: ConflictParts, request: FastifyRequest): ConflictFilter {
  const collection = queryParameter(request, 'collection');
  const key = queryParameter(request, 'key');
  if (collection !== null) collectionOf(parts, collection);
  if (key !== null) checkKey(key, 'key');
  if (collection !== null || key === null) return { collection, key };
  throw invalid('key', { rule: 'needs-collection', limit: null, value: null, what: 'needs a collection' });
}

async function show(parts: ConflictParts, request: FastifyRequest): Promise<ConflictAnswer> {
  const id = pathParameter(request, 'id');
  const record = recordOfConflict(id);
  const type = collectionOf(parts, record.collection);
  const state = await parts.store.read(record);
  const conflicts = state === null ? null : type.conflicts(state);
  if (conflicts instanceof UnreadableRecord) throw tooNewProblem(conflicts, record);
  const conflict = findConflict(conflicts, record, id);
  if (conflicts === null || conflict === null) throw noConflict();
  return conflictAnswer(record, conflict, conflicts.version);
}

async function restore(
  parts: ConflictParts & { readonly drain: Drain },
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const dryRun = flagParameter(request, 'dryRun');
  if (!dryRun) refuseWhileDraining(parts.drain);
  const id = pathParameter(request, 'id');
  const record = recordOfConflict(id);
  const type = collectionOf(parts, record.collection);
  const target = { type, conditions: parseConditions(request.headers), isMinimal: false, path: '' };
  if (!dryRun) parts.guards.check([record.collection], () => 'id');
  const edit = restoreEdit(target, { id, record, choice: choiceOf(request) });
  const outcome = await parts.journal.write([{ id: record, edit: dryRun ? withoutWriting(edit) : edit }]);
  if (outcome.kind === 'refused') throw withRecord(outcome.refusal, record);
  const view = outcome.results[0]?.view ?? null;
  if (view === null) throw noConflict();
  const answer = recordAnswer(record, view, false);
  if (dryRun) return { dryRun: true, ...answer };
  if (view.version !== null) void reply.header('etag', formatTag(view.version));
  return reply.send(answer);
}

function choiceOf({ body }: FastifyRequest): SiblingChoice {
  if (body === undefined) return { actor: null, region: null };
  const object = expectObject(body, '');
  refuseOtherMembers(object, ['actor', 'region'], '');
  return { actor: textIn(object, 'actor'), region: textIn(object, 'region') };
}

function textIn(body: object, name: string): string | null {
  const value: unknown = Object.getOwnPropertyDescriptor(body, name)?.value;
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  throw invalid(name, { rule: 'text', limit: null, value: nameOfKind(value), what: 'takes a text' });
}
