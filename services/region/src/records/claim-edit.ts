/**
 * Claiming stranded rights: the move of a right by an actor that writes no more, made in its name by the one region that
 * may (P8). All of that actor's changes are here and nobody takes another, so what it holds is known, and the dots that
 * the move takes are given to nobody else. Whoever calls this has made sure of both. Pure, under the record's row lock.
 */
import type { EditContext } from '@isthmus/replication/journal/journal';
import type { Actor } from '@isthmus/replication/ports/identity';
import { merge } from '@isthmus/conflict';
import { Problem } from '../problem.ts';
import type { FieldEdit } from './field-edit.ts';
import type { RecordType } from './record-type.ts';
import { type Holder, holdersAt } from './rights.ts';

export interface Claim {
  readonly names: readonly string[];
  /** The path of the same field. */
  readonly field: string;
  /** Actors that this region may claim from. */
  readonly from: (holder: Holder) => Actor | null;
}

export interface Claimed {
  readonly claims: readonly Holder[];
}

interface Made {
  readonly state: Uint8Array;
  readonly delta: Uint8Array;
  readonly claimed: Claimed;
}

/** `null`: there is nothing to claim. */
export function claimRights(
  type: RecordType,
  { before, context }: { readonly before: Uint8Array; readonly context: EditContext },
  claim: Claim,
): Made | Problem | null {
  let [state, delta] = [before, new Uint8Array(0)];
  const claims: Holder[] = [];
  for (const holder of holdersAt(before, claim.field)) {
    const actor = claim.from(holder);
    if (actor === null) continue;
    const edit: FieldEdit = {
      op: 'moveRights',
      to: context.actor,
      amount: holder.rights,
      names: claim.names,
      at: claim.field,
    };
    const made = type.edit(state, { ...context, actor, floor: 0, floorMs: 0 }, [edit]);
    if (made instanceof Problem) return made;
    state = made.state;
    delta = delta.length === 0 ? new Uint8Array(made.delta) : new Uint8Array(merge(delta, made.delta).state);
    claims.push(holder);
  }
  return claims.length === 0 ? null : { state, delta, claimed: { claims } };
}
