/**
 * One record: read, put, patch, delete. Reads come from the store as it is at that moment; a write is answered only
 * after its transaction is durable (I1), with the record as that write left it.
 */
import { assert } from '@isthmus/replication/errors';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { expectObject, refuseOtherMembers } from '../records/field-edit.ts';
import { SpliceCount } from '../records/operands.ts';
import { parsePatch } from '../records/patch-edits.ts';
import { parsePutValue } from '../records/put-edits.ts';
import { type RecordEdit, type WriteTarget, deleteEdit, patchEdit, putEdit } from '../records/record-edit.ts';
import { type RecordView, recordAnswer } from '../records/record-view.ts';
import { UnreadableRecord, tooNewProblem, withRecord } from '../records/unreadable-record.ts';
import { type ApiParts, collectionOf, refuseWhileDraining } from './api-parts.ts';
import { formatTag, isUnchanged, parseConditions } from './conditions.ts';
import { checkKey } from './names.ts';
import { prefersMinimal, sayMinimal } from './preferences.ts';
import { pathParameter, requireBody, wantsSiblings } from './requests.ts';
import type { ApiSessions, Exchange } from './sessions.ts';
import { tellHolders } from './stranded-rights.ts';

const path = '/v1/collections/:collection/records/:key';

export function addRecordRoutes(app: Listener, parts: ApiParts, sessions: ApiSessions): void {
  const ground = { parts, sessions };
  app.get(path, (request, reply) => getRecord(ground, request, reply));
  app.put(path, (request, reply) =>
    write(ground, { request, reply }, (target) => {
      const body = expectObject(requireBody(request), '');
      refuseOtherMembers(body, ['value'], '');
      const value = 'value' in body ? body.value : undefined;
      return putEdit(target, parsePutValue(value, target.type.fields, 'value'));
    }),
  );
  app.patch(path, (request, reply) =>
    write(ground, { request, reply }, (target) => {
      const place = { path: '', others: [], peers: parts.peers, splices: new SpliceCount() };
      return patchEdit(target, parsePatch(requireBody(request), target.type.fields, place));
    }),
  );
  app.delete(path, (request, reply) => write(ground, { request, reply }, deleteEdit));
}

interface Ground {
  readonly parts: ApiParts;
  readonly sessions: ApiSessions;
}

async function getRecord(
  { parts, sessions }: Ground,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const id = recordId(request);
  const type = collectionOf(parts, id.collection);
  const allSiblings = wantsSiblings(request);
  const conditions = parseConditions(request.headers);
  const state = await parts.store.read(id);
  await sessions.read({ request, reply }, [id]);
  const view = state === null ? null : type.show(state);
  if (view instanceof UnreadableRecord) throw tooNewProblem(view, id);
  if (view === null) throw new Problem('not-found', 'The record does not exist in this region.');
  void reply.header('etag', formatTag(view.version));
  if (isUnchanged(conditions, view.version)) return reply.status(304).send();
  return recordAnswer(id, view, allSiblings);
}

async function write(
  { parts, sessions }: Ground,
  { request, reply }: Exchange,
  editOf: (target: WriteTarget) => RecordEdit,
): Promise<unknown> {
  refuseWhileDraining(parts.drain);
  const id = recordId(request);
  const type = collectionOf(parts, id.collection);
  const conditions = parseConditions(request.headers);
  const isMinimal = prefersMinimal(request);
  const edit = editOf({ type, conditions, isMinimal, path: 'value' });
  parts.guards.check([id.collection], () => 'collection');
  const outcome = await parts.journal.write([{ id, edit }]);
  if (outcome.kind === 'refused') throw withRecord(tellHolders(outcome.refusal, parts.writers), id);
  await sessions.wrote({ request, reply }, [id], outcome.commit);
  const result = outcome.results[0];
  assert(result !== undefined, 'one edit has one result');
  if (isMinimal) sayMinimal(reply);
  if (result.view === null) return reply.status(result.status).send();
  return answer(reply.status(result.status), id, result.view);
}

function answer(reply: FastifyReply, id: RecordId, view: RecordView | UnreadableRecord): FastifyReply {
  if (view.version !== null) void reply.header('etag', formatTag(view.version));
  return reply.send(recordAnswer(id, view, false));
}

function recordId(request: FastifyRequest): RecordId {
  const key = checkKey(pathParameter(request, 'key'), 'key');
  return { collection: pathParameter(request, 'collection'), key };
}
