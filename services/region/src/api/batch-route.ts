/**
 * Several writes in one local transaction: all or none, answered in order. Each write sees what those before it in the
 * same request did. A fault in one refuses the whole, and names the write by its index. The answer is bounded: it shows
 * each record once, at the last write of it, and no more once it is full.
 */
import type { Edit } from '@isthmus/replication/journal/journal';
import type { FastifyRequest } from 'fastify';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import {
  expectObject,
  invalid,
  isObject,
  joinPath,
  nameOfKind,
  refuseOtherMembers,
} from '../records/field-edit.ts';
import { SpliceCount } from '../records/operands.ts';
import { type PatchPlace, parsePatch } from '../records/patch-edits.ts';
import { parsePutValue } from '../records/put-edits.ts';
import {
  type RecordEdit,
  type WriteResult,
  type WriteTarget,
  deleteEdit,
  patchEdit,
  putEdit,
} from '../records/record-edit.ts';
import { recordAnswer } from '../records/record-view.ts';
import { withRecord } from '../records/unreadable-record.ts';
import { type ApiParts, collectionOf, refuseWhileDraining } from './api-parts.ts';
import type { ApiSessions, Exchange } from './sessions.ts';
import { checkKey } from './names.ts';
import { prefersMinimal, sayMinimal } from './preferences.ts';
import { requireBody } from './requests.ts';
import { tellHolders } from './stranded-rights.ts';

const maxWrites = 500;
/** Of the records in an answer, as JSON. */
const maxAnswerBytes = 4 * 1024 * 1024;
const methods = ['put', 'patch', 'delete'] as const;
const common = ['method', 'collection', 'key'];
const noConditions = { ifMatch: null, ifNoneMatch: null };

export function addBatchRoute(app: Listener, parts: ApiParts, sessions: ApiSessions): void {
  app.post('/v1/batch', (request, reply) => writeBatch({ parts, sessions }, { request, reply }));
}

interface Ground {
  readonly parts: ApiParts;
  readonly sessions: ApiSessions;
}

async function writeBatch({ parts, sessions }: Ground, exchange: Exchange): Promise<unknown> {
  const { request, reply } = exchange;
  refuseWhileDraining(parts.drain);
  refuseConditions(request);
  const isMinimal = prefersMinimal(request);
  const edits = parseBatch({ parts, isMinimal, splices: new SpliceCount() }, requireBody(request));
  if (edits.length === 0) return { results: [] };
  const collections = edits.map(({ id }) => id.collection);
  parts.guards.check(collections, (index) => `writes[${index}].collection`);
  const outcome = await parts.journal.write(edits);
  if (outcome.kind === 'refused') {
    const { index } = outcome;
    const refusal = tellHolders(outcome.refusal, parts.writers);
    const id = edits[index]?.id;
    throw inWrite(id === undefined ? refusal : withRecord(refusal, id), index);
  }
  await sessions.wrote(
    exchange,
    edits.map(({ id }) => id),
    outcome.commit,
  );
  if (isMinimal) sayMinimal(reply);
  return reply.type('application/json; charset=utf-8').send(answerText(edits, outcome.results));
}

/** A condition that is not checked must not look as if it were. */
function refuseConditions({ headers }: FastifyRequest): void {
  for (const name of ['if-match', 'if-none-match'] as const) {
    if (headers[name] === undefined) continue;
    throw new Problem(
      'bad-request',
      `A batch takes no ${name}: it speaks of one record, and a batch has many.`,
      {
        violations: [{ field: name, rule: 'not-in-a-batch', limit: null, value: null }],
      },
    );
  }
}

type RecordWrite = Edit<WriteResult, Problem>;

/** Records are shown until the next one would not fit; what comes after is told without, also where it is small. */
function answerText(writes: readonly Pick<RecordWrite, 'id'>[], results: readonly WriteResult[]): string {
  let leftBytes = maxAnswerBytes;
  const texts = results.map(({ status, view }, index) => {
    const id = writes[index]?.id;
    if (id === undefined || view === null) return JSON.stringify({ status });
    const record = leftBytes < 0 ? '' : JSON.stringify(recordAnswer(id, view, false));
    leftBytes -= Buffer.byteLength(record);
    if (leftBytes < 0) return JSON.stringify({ status, omitted: 'answer-full' });
    return `{"status":${status},"record":${record}}`;
  });
  return `{"results":[${texts.join(',')}]}`;
}

/** What all writes of a request share. */
interface Batch {
  readonly parts: ApiParts;
  readonly isMinimal: boolean;
  readonly splices: SpliceCount;
}

interface Written extends Batch {
  readonly path: string;
  /** See `WriteTarget`. */
  readonly isOvertaken: boolean;
}

function parseBatch(batch: Batch, value: unknown): readonly RecordWrite[] {
  const body = expectObject(value, '');
  refuseOtherMembers(body, ['writes'], '');
  const writes: unknown = 'writes' in body ? body.writes : undefined;
  if (!Array.isArray(writes))
    throw invalid('writes', {
      rule: 'array',
      limit: maxWrites,
      value: nameOfKind(writes),
      what: 'takes an array',
    });
  if (writes.length > maxWrites)
    throw invalid('writes', {
      rule: 'max-items',
      limit: maxWrites,
      value: writes.length,
      what: `takes at most ${maxWrites} writes`,
    });
  const names = writes.map(recordIn);
  const last = new Map(names.map((name, index) => [name, index]));
  return names.map((name, index) => {
    const place = { path: `writes[${index}]`, isOvertaken: last.get(name) !== index };
    return parseWrite({ ...batch, ...place }, writes[index]);
  });
}

/** Tells which writes are of one record, before anything of them is checked. */
function recordIn(write: unknown): string {
  const member = (name: string): unknown =>
    isObject(write) ? Object.getOwnPropertyDescriptor(write, name)?.value : null;
  return JSON.stringify([member('collection'), member('key')]);
}

function parseWrite({ parts, isMinimal, splices, path, isOvertaken }: Written, value: unknown): RecordWrite {
  const body = expectObject(value, path);
  const method = methods.find((known) => known === text(body, 'method', path));
  if (method === undefined)
    throw invalid(`${path}.method`, {
      rule: 'one-of',
      limit: methods,
      value: null,
      what: `takes one of ${methods.join(', ')}`,
    });
  const collection = text(body, 'collection', path);
  const key = checkKey(text(body, 'key', path), `${path}.key`);
  const target = {
    type: collectionOf(parts, collection),
    conditions: noConditions,
    isMinimal,
    isOvertaken: isOvertaken && method !== 'delete',
    path: `${path}.value`,
  };
  return {
    id: { collection, key },
    edit: editOf(method, target, { body, path, others: common, peers: parts.peers, splices }),
  };
}

function editOf(
  method: (typeof methods)[number],
  target: WriteTarget,
  { body, ...place }: PatchPlace & { readonly body: object },
): RecordEdit {
  const { fields } = target.type;
  if (method === 'patch') return patchEdit(target, parsePatch(body, fields, place));
  refuseOtherMembers(body, method === 'put' ? [...common, 'value'] : common, place.path);
  if (method === 'delete') return deleteEdit(target);
  return putEdit(target, parsePutValue('value' in body ? body.value : undefined, fields, target.path));
}

function text(body: object, name: string, path: string): string {
  const value: unknown = Object.getOwnPropertyDescriptor(body, name)?.value;
  if (typeof value === 'string') return value;
  throw invalid(`${path}.${name}`, {
    rule: 'string',
    limit: null,
    value: nameOfKind(value),
    what: 'takes a string',
  });
}

/** A refusal that an edit gave under the lock, where it does not know its place in the request. */
function inWrite(problem: Problem, index: number): Problem {
  const path = `writes[${index}]`;
  const placeOf = (field: string) => {
    if (field === '') return path;
    return field.startsWith('writes[') ? field : joinPath(path, field);
  };
  const violations = problem.violations.map((violation) => ({
    ...violation,
    field: placeOf(violation.field),
  }));
  return new Problem(problem.code, `${path}: ${problem.message}`, {
    violations,
    headers: problem.headers,
    rights: problem.rights,
    ...(problem.record === undefined ? {} : { record: problem.record }),
    cause: problem,
  });
}
