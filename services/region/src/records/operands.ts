/**
 * What an operation of a PATCH is given, from JSON to a value that the operation takes in form. Whether the record as
 * it stands can take it (rights held, a position within a text) is found when the edit is made.
 */
import { z } from 'zod';
import type { PeerActors } from '../peer-actors.ts';
import { type Fault, nameOfKind, type Operation, type OperationEdit } from './field-edit.ts';

export interface Operand {
  readonly op: Operation;
  readonly value: unknown;
  /** Where in the request it stands. */
  readonly at: string;
}

/** What a place of the request takes, in form and in words. */
interface Form<T> {
  readonly schema: z.ZodType<T>;
  readonly rule: string;
  readonly limit?: number;
  readonly what: string;
}

const largest = Number.MAX_SAFE_INTEGER;
const change: Form<number> = {
  schema: z.int(),
  rule: 'safe-integer',
  limit: largest,
  what: `a whole number within ±${largest}`,
};
const amount: Form<number> = {
  schema: z.int().nonnegative(),
  rule: 'amount',
  limit: largest,
  what: `a whole number from 0 to ${largest}`,
};
const rightsMove: Form<{ readonly to: string; readonly amount: number }> = {
  schema: z.strictObject({ to: z.string(), amount: amount.schema }),
  rule: 'move',
  what: `{to, amount}: the name of a peer, and ${amount.what}`,
};
const splices: Form<readonly { readonly at: number; readonly delete: number; readonly insert: string }[]> = {
  schema: z.array(
    z.strictObject({ at: amount.schema, delete: amount.schema.default(0), insert: z.string().default('') }),
  ),
  rule: 'splices',
  what: 'an array of {at, delete, insert}: a position, how many UTF-16 units go from there, what comes',
};

/**
 * Each splice may cut a piece of the text in two, which costs more the more pieces there are, and nothing else of the
 * process runs meanwhile.
 */
const maxSplices = 1000;

/** How many splices the texts of one request have taken so far. */
export class SpliceCount {
  #taken = 0;

  /** The fault where these are too many in all. */
  take(splicesOfText: unknown, at: string): Fault | null {
    this.#taken += Array.isArray(splicesOfText) ? splicesOfText.length : 0;
    if (this.#taken <= maxSplices) return null;
    const what = `no more: a request has at most ${maxSplices} splices, and with these ${this.#taken}`;
    return faulty(at, { rule: 'max-splices', limit: maxSplices, value: this.#taken, what });
  }
}

/** What operands are read with. */
export interface OperandGround {
  readonly peers: Pick<PeerActors, 'find'>;
  readonly splices: SpliceCount;
}

/** Elements of a set. */
export const elements: Form<readonly (string | number | boolean)[]> = {
  schema: z.array(z.union([z.string(), z.number(), z.boolean()])),
  rule: 'elements',
  what: 'an array of strings, finite numbers and booleans',
};

export const wholeText: Form<string> = { schema: z.string(), rule: 'text', what: 'a string' };

export function readOperand(
  operand: Operand,
  { peers, splices: count }: OperandGround,
): OperationEdit | Fault {
  const { op, value, at } = operand;
  switch (op) {
    case 'set':
      return { op, value };
    case 'clear':
      return { op };
    case 'increment':
      return read(change, { value, at }, (by) => ({ op, by }));
    case 'spend':
    case 'refill':
      return read(amount, { value, at }, (by) => ({ op, by }));
    case 'add':
    case 'remove':
      return read(elements, { value, at }, (found) => ({ op, elements: found }));
    case 'moveRights':
      return read(rightsMove, { value, at }, (found) => moveOf(found, at, peers));
    case 'splice':
      return count.take(value, at) ?? read(splices, { value, at }, (found) => ({ op, splices: found }));
  }
}

/** What is made of a value that has the form, or the fault that it has not. */
export function read<T, R>(
  { schema, rule, limit, what }: Form<T>,
  { value, at }: { readonly value: unknown; readonly at: string },
  made: (value: T) => R,
): R | Fault {
  const parsed = schema.safeParse(value);
  if (parsed.success) return made(parsed.data);
  const path = parsed.error.issues[0]?.path ?? [];
  return faulty(at + path.map(step).join(''), {
    rule,
    limit: limit ?? null,
    value: shown(path.reduce(within, value)),
    what: path.length === 0 ? what : `another value; ${at} takes ${what}`,
  });
}

function faulty(
  at: string,
  fault: {
    readonly rule: string;
    readonly limit: unknown;
    readonly value: unknown;
    readonly what: string;
  },
): Fault {
  const { rule, limit, value, what } = fault;
  const violation = { field: at, rule, limit, value };
  return { code: 'invalid-value', detail: `${at} takes ${what}.`, violation };
}

function step(name: PropertyKey): string {
  return typeof name === 'number' ? `[${name}]` : `.${String(name)}`;
}

function within(value: unknown, name: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined;
}

/** Numbers as they are; of anything else only what it is, because it may be long. */
function shown(value: unknown): unknown {
  return typeof value === 'number' ? value : nameOfKind(value);
}

function moveOf(
  move: { readonly to: string; readonly amount: number },
  at: string,
  peers: Pick<PeerActors, 'find'>,
): OperationEdit | Fault {
  const found = peers.find(move.to);
  if (found.kind === 'known') return { op: 'moveRights', to: found.actor, amount: move.amount };
  const value = move.to.slice(0, 64);
  if (found.kind === 'unheard') return unheard(`${at}.to`, value);
  const known = found.peers.length === 0 ? 'and this region has none' : `which are ${found.peers.join(', ')}`;
  const what = `the name of a peer, ${known}`;
  return faulty(`${at}.to`, { rule: 'peer', limit: found.peers, value, what });
}

function unheard(at: string, region: string): Fault {
  return {
    code: 'peer-not-heard',
    detail: `Nothing has arrived from ${region} yet, so rights that are moved there would be nobody's.`,
    violation: { field: at, rule: 'heard', limit: null, value: region },
  };
}
