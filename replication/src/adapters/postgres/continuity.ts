/**
 * Whether the server behind a connection is the one that our identity row was proven on (P1). Another start of it, or
 * another timeline, may be a restart, a promotion or a restored copy: which of them, contents alone tell, and until
 * they have been compared nothing is written. Another system or incarnation is refused at once; the latter is opened
 * again as what it has become (P9).
 */
import type { Incarnation } from '../../ports/identity.ts';
import { sameIncarnation } from '../../ports/identity.ts';
import type { Continuity, Lineage } from '../../ports/identity-store.ts';

export interface Life {
  readonly incarnation: Incarnation;
  readonly lineage: Lineage;
  /** Why nothing is to be written until an operator has looked; `null`: no such reason. */
  readonly held: string | null;
  /** A new incarnation has its past to learn again before it takes local writes (P9). */
  readonly isClosedToWrites: boolean;
  /** An operator wants no local writes. */
  readonly isDrained: boolean;
}

/** `stored` is what the identity row says, `expected` the incarnation that this process was opened with. */
export function judgeContinuity(expected: Incarnation, stored: Life, found: Lineage): Continuity {
  const { incarnation, lineage, held } = stored;
  if (!sameIncarnation(expected, incarnation)) {
    return { kind: 'renewed', reason: other('incarnation', print(incarnation), print(expected)) };
  }
  if (held !== null) return { kind: 'broken', isHeld: true, reason: held };
  if (found.systemIdentifier !== lineage.systemIdentifier) {
    const reason = other('system identifier', found.systemIdentifier, lineage.systemIdentifier);
    return { kind: 'broken', isHeld: false, reason };
  }
  const isPromoted = found.timeline !== lineage.timeline;
  const isSame = !isPromoted && found.postmasterStart === lineage.postmasterStart;
  return isSame ? { kind: 'same' } : { kind: 'unproven', isPromoted, lineage: found };
}

function other(what: string, found: string, expected: string): string {
  return `the database has ${what} ${found}, expected ${expected}`;
}

function print(incarnation: Incarnation): string {
  const nonce = incarnation.nonce.toString(16).padStart(8, '0');
  return `${incarnation.counter}.${nonce}`;
}
