/**
 * Dead letters for operators: which changes are put aside and why, and one of them tried again. A retry judges the
 * change as when it arrived; what it says is what became of it. Contents are never shown, only places and names.
 */
import { type RetryOptions, retryDeadLetter } from '@isthmus/replication/applier/dead-letter-retry';
import type { DeadLetterStore, OpenDeadLetter } from '@isthmus/replication/ports/dead-letter-store';
import type { FastifyRequest } from 'fastify';
import { limitParameter, pathParameter, queryParameter } from '../api/requests.ts';
import type { Listener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { formatDeadLetterId, parseDeadLetterId } from './dead-letter-id.ts';
import { flagParameter } from './flag-parameter.ts';

export interface DeadLetterParts {
  readonly deadLetters: Pick<DeadLetterStore, 'list'>;
  readonly retrying: RetryOptions;
}

export function addDeadLetterRoutes(app: Listener, parts: () => DeadLetterParts): void {
  app.get('/v1/dead-letters', (request) => list(parts(), request));
  app.post('/v1/dead-letters/:id/retry', (request) => retry(parts(), request));
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
  const { origin, partition, collection, key, cause, detail, byteCount, openedAtMs, stampMs } = letter;
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
  };
}

async function retry({ retrying }: DeadLetterParts, request: FastifyRequest): Promise<unknown> {
  const dryRun = flagParameter(request, 'dryRun');
  const id = pathParameter(request, 'id');
  const place = parseDeadLetterId(id);
  const report = place === null ? null : await retryDeadLetter(retrying, place, dryRun);
  if (report === null || report.outcome === 'gone')
    throw new Problem('not-found', 'There is no such dead letter, or it has been applied.');
  return { id, ...report, ...(dryRun ? { dryRun: true } : {}) };
}
