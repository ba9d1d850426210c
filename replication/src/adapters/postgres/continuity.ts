/**
 * Whether the server behind a connection is the one that our identity row was proven on (P1). Another start of it, or
 * another timeline, may be a restart, a promotion or a restored copy: which of them, contents alone tell, and until
 * they have been compared nothing is written. Another system or incarnation is refused at once.
 */
import type { Incarnation } from '../../ports/identity.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { Continuity, Lineage } from '../../ports/identity-store.ts';

export interface Life {
  readonly incarnation: Incarnation;
  readonly lineage: Lineage;
  /** Why nothing is to be written until an operator has looked; `null`: no such reason. */
  readonly held: string | null;
}

/** `stored` is what the identity row says, `expected` the incarnation that this process was opened with. */
export function judgeContinuity(expected: Incarnation, stored: Life, found: Lineage): Continuity {
  const { incarnation, lineage, held } = stored;
  if (held !== null) return { kind: 'broken', reason: held };
  if (!sameIncarnation(expected, incarnation))
    return broken('incarnation', print(incarnation), print(expected));
  if (found.systemIdentifier !== lineage.systemIdentifier) {
    return broken('system identifier', found.systemIdentifier, lineage.systemIdentifier);
  }
  const isPromoted = found.timeline !== lineage.timeline;
  const isSame = !isPromoted && found.postmasterStart === lineage.postmasterStart;
  return isSame ? { kind: 'same' } : { kind: 'unproven', isPromoted, lineage: found };
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
