/** A flag in the query of an admin request: `true`, `false`, or absent for false; anything else is refused. */
import type { FastifyRequest } from 'fastify';
import { queryParameter } from '../api/requests.ts';
import { invalid } from '../records/field-edit.ts';

export function flagParameter(request: FastifyRequest, name: string): boolean {
  const text = queryParameter(request, name);
  if (text === null || text === 'false') return false;
  if (text === 'true') return true;
  const fault = { rule: 'one-of', limit: ['true', 'false'], value: text.slice(0, 64) };
  throw invalid(name, { ...fault, what: 'takes true or false' });
}
