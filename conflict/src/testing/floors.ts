/**
 * What replicas remember of records that they have dropped: where the dots and stamps of new ones begin, and what an
 * actor that has forgotten its own writes says of them when it writes above its floor, that none of them is left.
 */
import { contextOf, highestStamp } from '../record/summary.ts';
import { type Fact, gone } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import type { Replica } from './replica.ts';

export class Floors {
  readonly #counters = new Map<string, number>();
  readonly #ms = new Map<Replica, number>();
  readonly #remains = new Map<string, readonly Fact[]>();
  readonly #sequences = new Map<string, number>();

  /** What a replica gives to its edits. */
  of(replica: Replica): { readonly floor: number; readonly floorMs: number } {
    return { floor: this.#counters.get(replica.actor) ?? 0, floorMs: this.#ms.get(replica) ?? 0 };
  }

  /** The replica is about to drop its record, after so many writes of the history. */
  raise(replica: Replica, sequence: number): void {
    const { actor, known, state } = replica;
    const { floor, floorMs } = this.of(replica);
    this.#counters.set(actor, Math.max(floor, contextOf(state).last(actor)));
    this.#ms.set(replica, Math.max(floorMs, highestStamp(state) ?? 0));
    this.#remains.set(actor, [...(this.#remains.get(actor) ?? []), ...remainsOf(known, actor)]);
    this.#sequences.set(actor, sequence);
  }

  /** The number of writes of the history before which the actor knows nothing of itself. */
  sequenceOf(actor: string): number {
    return this.#sequences.get(actor) ?? 0;
  }

  /** What the actor's next edit says of its forgotten writes; not of those that others have told it of again. */
  remainsOf({ actor, known }: Replica): readonly Fact[] {
    const remains = this.#remains.get(actor) ?? [];
    return remains.filter((fact) => {
      if (fact.kind === 'gone') return !known.facts.has(fact.what);
      return fact.kind === 'closed' ? known.lifeOf(fact.account) === 0 : !known.facts.has(fact);
    });
  }

  /** It was said, and the actor knows it from now on. */
  forgetRemains(actor: string): void {
    this.#remains.delete(actor);
  }
}

function remainsOf(known: Knowledge, actor: string): readonly Fact[] {
  const own = [...known.facts].filter((fact) => 'actor' in fact && fact.actor === actor);
  const happened = own.filter((fact) => fact.kind === 'happened');
  const writes = own.flatMap((fact) => (fact.kind === 'write' ? [gone(fact)] : []));
  const accounts = known.accounts().filter((account) => account.actor === actor);
  const closed = accounts.map((account): Fact => ({ kind: 'closed', account, life: known.lifeOf(account) }));
  return [...happened, ...writes, ...closed];
}
