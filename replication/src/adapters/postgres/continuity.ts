/**
 * Whether the server behind a connection is the one that our identity row was written on (P1). System identifier and
 * timeline must be equal; another start of the same server is an ordinary restart. A region writes only where the
 * answer is `same` or `restarted`: anything else may be a restored copy, whose writes would take the dots of others.
 */
import type { Incarnation } from '../../ports/identity.ts';
import { sameIncarnation } from '../../ports/identity.ts';

/** What a server says of itself. */
export interface Lineage {
  /** Of 64 bits, in decimal. */
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** When its postmaster started, as Postgres prints it in seconds since 1970. */
  readonly postmasterStart: string;
}

export interface Life {
  readonly incarnation: Incarnation;
  readonly lineage: Lineage;
}

export type Continuity =
  | { readonly kind: 'same' }
  | { readonly kind: 'restarted' }
  | { readonly kind: 'broken'; readonly reason: string };

/** `stored` is what the identity row says, `expected` the incarnation that this process was opened with. */
export function judgeContinuity(expected: Incarnation, stored: Life, found: Lineage): Continuity {
  if (!sameIncarnation(expected, stored.incarnation))
    return broken('incarnation', print(stored.incarnation), print(expected));
  const lineage = stored.lineage;
  if (found.systemIdentifier !== lineage.systemIdentifier) {
    return broken('system identifier', found.systemIdentifier, lineage.systemIdentifier);
  }
  if (found.timeline !== lineage.timeline)
    return broken('timeline', `${found.timeline}`, `${lineage.timeline}`);
  return found.postmasterStart === lineage.postmasterStart ? { kind: 'same' } : { kind: 'restarted' };
}

function broken(what: string, found: string, expected: string): Continuity {
  return {
    kind: 'broken',
    reason: `the database has ${what} ${found}, expected ${expected}`,
  };
}

function print(incarnation: Incarnation): string {
  const nonce = incarnation.nonce.toString(16).padStart(8, '0');
  return `${incarnation.counter}.${nonce}`;
}
