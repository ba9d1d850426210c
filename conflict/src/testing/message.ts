/**
 * What travels between replicas: a delta, a state, or several of them joined on the way, as bytes and as facts.
 * Any of it may arrive before what its writer had seen.
 */
import { merge } from '../record/merge.ts';
import type { Source } from './action.ts';
import type { Fact } from './fact.ts';
import { Knowledge } from './knowledge.ts';

/** The same news in both forms. */
export interface Message {
  readonly bytes: Uint8Array;
  readonly facts: ReadonlySet<Fact>;
  readonly isDelete: boolean;
  /** A delete of what was dead already. */
  readonly isPurge: boolean;
}

const nothing: Uint8Array = new Uint8Array(0);

/** Messages joined in their order. */
export function unionOf(messages: readonly Message[]): Message {
  return {
    bytes: messages.reduce((all, each) => merge(all, each.bytes).state, nothing),
    facts: messages.reduce((known, { facts }) => {
      if (bringsNews(known, facts)) known.learn(facts);
      return known;
    }, new Knowledge()).facts,
    isDelete: messages.some((each) => each.isDelete),
    isPurge: messages.some((each) => each.isPurge),
  };
}

/** Whether an edit is told of that was not known. Mere collection is no news: a merge does not hand it on. */
export function bringsNews(known: Knowledge, facts: Iterable<Fact>): boolean {
  for (const fact of facts) if (fact.kind === 'happened' && !known.facts.has(fact)) return true;
  return false;
}

export function keyOf({ of, number }: Source): string {
  return `${of} ${number}`;
}
