/**
 * What travels between replicas: a delta, a state, or several of them joined on the way, as bytes and as facts. A
 * message that holds a later write of an actor, without the news of what made an earlier one of it go, waits until
 * that news has arrived: for both the library has but one room (`Knowledge.hasGap`).
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
}

const nothing: Uint8Array = new Uint8Array(0);

/** Messages joined in their order; `null` where one of them has to wait for something. */
export function joined(messages: readonly Message[]): Message | null {
  const known = new Knowledge();
  for (const message of messages) {
    known.learn(message.facts);
    if (known.hasGap()) return null;
  }
  return unionOf(messages);
}

export function unionOf(messages: readonly Message[]): Message {
  return {
    bytes: messages.reduce((all, each) => merge(all, each.bytes).state, nothing),
    facts: new Set(messages.flatMap((each) => [...each.facts])),
    isDelete: messages.some((each) => each.isDelete),
  };
}

export function wouldGap(known: Knowledge, { facts }: Message): boolean {
  if (known.knows(facts)) return false;
  const after = new Knowledge(known.facts);
  after.learn(facts);
  return after.hasGap();
}

export function keyOf({ of, number }: Source): string {
  return `${of} ${number}`;
}
