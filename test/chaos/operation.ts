/**
 * What one writer does next, drawn from its own chance: counters, registers, sets, bounded counters, texts, records
 * that come and go. Values are unique and amounts are large, so that what is lost, doubled or torn cannot be explained
 * by anything else. Keys are shared by all writers and change every so many steps, so that no record grows for ever.
 */
import type { Operation } from '../checkers/history.ts';
import type { Random } from '@isthmus/loadtest/random';

export interface Turn {
  /** All keys of a run begin with this. */
  readonly prefix: string;
  readonly process: string;
  readonly step: number;
  readonly next: Random;
}

/** What is drawn: a removal and a deletion learn what they see when they are sent. */
type Kind = Operation['kind'];

const weights: readonly (readonly [Kind, number])[] = [
  ['increment', 0.18],
  ['set', 0.14],
  ['insert', 0.2],
  ['add', 0.1],
  ['remove', 0.06],
  ['refill', 0.08],
  ['spend', 0.06],
  ['put', 0.07],
  ['delete', 0.06],
  ['note', 0.05],
];

const keysOfKind = 6;
const stepsOfKeys = 400;
const groupsOfInserts = 32;

export function drawOperation(turn: Turn): Operation {
  const { prefix, process, step, next } = turn;
  const kind = drawKind(next);
  const era = Math.floor(step / stepsOfKeys);
  const key = `${prefix}${nouns[kind]}-${era}-${Math.floor(next() * keysOfKind)}`;
  const unique = `${process}-${step}`;
  const amount = 1 + Math.floor(next() * 1_000_000);
  switch (kind) {
    case 'increment':
    case 'refill':
    case 'spend':
      return { kind, key, amount };
    case 'set':
    case 'put':
      return { kind, key, value: unique };
    case 'insert':
      // What precedes the slash chooses the partition, and the oracle has to see into all of them.
      return { kind, key: `${prefix}insert-${step % groupsOfInserts}/${unique}` };
    case 'add':
      return { kind, key, element: unique };
    case 'remove':
      return { kind, key, element: null };
    case 'delete':
      return { kind, key, saw: null };
    case 'note':
      return { kind, key, token: `[${unique}]` };
  }
}

/** What a key says about the kind of record that it names. */
export const nouns = {
  increment: 'counter',
  set: 'register',
  insert: 'insert',
  add: 'set',
  remove: 'set',
  refill: 'bounded',
  spend: 'bounded',
  put: 'mortal',
  delete: 'mortal',
  note: 'text',
} as const satisfies Readonly<Record<Kind, string>>;

function drawKind(next: Random): Kind {
  let left = next();
  for (const [kind, weight] of weights) {
    left -= weight;
    if (left < 0) return kind;
  }
  return 'insert';
}
