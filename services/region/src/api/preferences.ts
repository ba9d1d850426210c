/**
 * What a caller would rather have (RFC 7240): `Prefer: return=minimal` does without the record in the answer to a write.
 * A preference is no condition: whatever else the header names is passed over, and an answer that followed one says so.
 * Of several that contradict each other the first counts.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';

const preferHeader = 'prefer';
/** As most write it, so that it need not be taken apart. */
const minimal = 'return=minimal';
const returnPattern = /^return *= *"?([a-z]+)"?$/i;

/** Whether the answer is to leave the record out. */
export function prefersMinimal({ headers }: FastifyRequest): boolean {
  const header = headers[preferHeader];
  if (header === undefined || header === minimal) return header === minimal;
  return returnOf(String(header)) === 'minimal';
}

/** For an answer that leaves it out. */
export function sayMinimal(reply: FastifyReply): void {
  void reply.header('preference-applied', minimal);
}

function returnOf(header: string): string | undefined {
  for (const preference of header.split(',')) {
    const [name = ''] = preference.split(';', 1);
    const value = returnPattern.exec(name.trim())?.[1];
    if (value !== undefined) return value.toLowerCase();
  }
  return undefined;
}
