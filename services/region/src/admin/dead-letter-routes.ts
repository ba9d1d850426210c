/**
 * Dead letters for operators: which changes are put aside and why, and one of them tried again or given up. A retry judges
 * the change as when it arrived; what it says is what became of it. Giving up takes a reason, which is kept with the change
 * and told in the log. Contents are never shown, only places and names.
 */
import { type DiscardOptions, discardDeadLetter } from '@isthmus/replication/applier/dead-letter-discard';
import { retryDeadLetter } from '@isthmus/replication/applier/dead-letter-retry';
import type {
  DeadLetterPlace,
  DeadLetterStore,
  OpenDeadLetter,
} from '@isthmus/replication/ports/dead-letter-store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { limitParameter, pathParameter, queryParameter, requireBody } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { expectObject, invalid, refuseOtherMembers } from '../records/field-edit.ts';
import { formatDeadLetterId, parseDeadLetterId } from './dead-letter-id.ts';
import { flagParameter } from './flag-parameter.ts';

export interface DeadLetterParts {
  readonly deadLetters: Pick<DeadLetterStore, 'list'>;
  readonly retrying: DiscardOptions;
}

export function addDeadLetterRoutes(app: Listener, parts: () => DeadLetterParts): void {
  app.get('/v1/dead-letters', (request) => list(parts(), request));
  app.post('/v1/dead-letters/:id/retry', (request) => retry(parts(), request));
  app.post('/v1/dead-letters/:id/discard', (request, reply) => discard(parts(), request, reply));
}

async function list({ deadLetters }: DeadLetterParts, request: FastifyRequest): Promise<unknown> {
  const limit = limitParameter(request);
  const cursor = queryParameter(request, 'after');
  const after = cursor === null ? null : parseDeadLetterId(cursor);
  if (cursor !== null && after === null)
    throw new Problem('invalid-cursor', 'Send `next` of the previous page unchanged as `after`.');
  const page = await deadLetters.list({ after, limit });
  const last = page.length < limit ? undefined : page.at(-1);
  return { deadLetters: page.map(answerOf), next: last === undefined ? null : formatDeadLetterId(last) };
}

function answerOf(letter: OpenDeadLetter) {
  const { origin, partition, collection, key, cause, detail, byteCount, openedAtMs, stampMs, givenUp } =
    letter;
  return {
    id: formatDeadLetterId(letter),
    origin,
    partition,
    collection,
    key,
    cause,
    detail,
    bytes: byteCount,
    openedAt: new Date(openedAtMs).toISOString(),
    /** It is tried by itself once the region's clock comes near this. */
    stampedAt: stampMs === null ? null : new Date(stampMs).toISOString(),
    /** It waits for nothing but a transfer. */
    givenUp: givenUp && { since: new Date(givenUp.sinceMs).toISOString(), reason: givenUp.reason },
  };
}

async function retry({ retrying }: DeadLetterParts, request: FastifyRequest): Promise<unknown> {
  const dryRun = flagParameter(request, 'dryRun');
  const id = pathParameter(request, 'id');
  const report = await retryDeadLetter(retrying, placeIn(id), dryRun);
  if (report.outcome === 'gone') throw noSuchLetter();
  return { id, ...report, ...(dryRun ? { dryRun: true } : {}) };
}

async function discard(
  { retrying }: DeadLetterParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const dryRun = flagParameter(request, 'dryRun');
  const isLossAccepted = flagParameter(request, 'acceptLoss');
  const id = pathParameter(request, 'id');
  const reason = reasonIn(requireBody(request));
  const report = await discardDeadLetter(retrying, placeIn(id), { reason, isLossAccepted, dryRun });
  if (report.outcome === 'gone') throw noSuchLetter();
  const isDone = !dryRun && report.outcome !== 'applicable';
  if (isDone)
    request.log.warn({ requestId: request.id, id, reason, ...report }, 'an operator gives up a dead letter');
  const isUnderWay = isDone && report.outcome === 'waiting';
  return reply.status(isUnderWay ? 202 : 200).send({ dryRun, id, ...report });
}

function placeIn(id: string): DeadLetterPlace {
  const place = parseDeadLetterId(id);
  if (place === null) throw noSuchLetter();
  return place;
}

function noSuchLetter(): Problem {
  return new Problem('not-found', 'There is no such dead letter, or it is closed.');
}

const maxReasonLength = 500;

function reasonIn(body: unknown): string {
  const object = expectObject(body, '');
  refuseOtherMembers(object, ['reason'], '');
  const reason: unknown = Object.getOwnPropertyDescriptor(object, 'reason')?.value;
  const text = typeof reason === 'string' ? reason.trim() : '';
  if (text !== '' && text.length <= maxReasonLength && !text.includes('\0')) return text;
  throw invalid('reason', {
    rule: 'length',
    limit: maxReasonLength,
    value: text.length,
    what: `takes why it is given up, in up to ${maxReasonLength} characters`,
  });
}
