/** What routes read off a request besides its body: names in the path, parameters in the query, flags and numbers. */
import type { FastifyRequest } from 'fastify';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';

/** A named segment of the path, decoded; routes declare which there are. */
export function pathParameter(request: FastifyRequest, name: string): string {
  const value = member(request.params, name);
  return typeof value === 'string' ? value : '';
}

/** `null` where the parameter is absent; given twice it is refused. */
export function queryParameter(request: FastifyRequest, name: string): string | null {
  const value = member(request.query, name);
  if (value === undefined) return null;
  requireDecodable(request, name);
  if (typeof value === 'string') return value;
  throw invalid(name, { rule: 'once', limit: 1, value: 2, what: 'is given more than once' });
}

/** Fastify hands over what it cannot decode as it stands; a key must not be looked up by something else. */
function requireDecodable(request: FastifyRequest, name: string): void {
  const url = request.raw.url ?? '';
  try {
    decodeURIComponent(url.slice(url.indexOf('?') + 1));
  } catch {
    throw new Problem('invalid-key', 'The query is not percent-encoded UTF-8.', {
      violations: [{ field: name, rule: 'percent-encoding', limit: null, value: null }],
    });
  }
}

function member(from: unknown, name: string): unknown {
  if (typeof from !== 'object' || from === null) return undefined;
  return Object.getOwnPropertyDescriptor(from, name)?.value;
}

const defaultLimit = 100;
const maxLimit = 1000;

/** How many a page may have. */
export function limitParameter(request: FastifyRequest): number {
  const text = queryParameter(request, 'limit');
  if (text === null) return defaultLimit;
  const limit = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= maxLimit) return limit;
  const what = `takes a whole number from 1 to ${maxLimit}`;
  throw invalid('limit', { rule: 'range', limit: maxLimit, value: text.slice(0, 64), what });
}

/** Whether all values of fields in conflict are asked for. */
export function wantsSiblings(request: FastifyRequest): boolean {
  const siblings = queryParameter(request, 'siblings');
  if (siblings === null || siblings === 'all') return siblings === 'all';
  throw invalid('siblings', {
    rule: 'one-of',
    limit: ['all'],
    value: siblings.slice(0, 64),
    what: 'takes all',
  });
}

export function requireBody(request: FastifyRequest): unknown {
  if (request.body !== undefined) return request.body;
  if (request.headers['content-type'] === undefined)
    throw new Problem('unsupported-media-type', 'The request needs a body; send it as application/json.');
  throw new Problem('malformed-json', 'The body is empty.');
}
