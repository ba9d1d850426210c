/**
 * The ordinary edits that say again what a region wrote and its survivors never got. The lost change is merged with the
 * record for a moment, under the dots that it had, so everything that merging knows decides: a later write of somebody
 * else stays, an addition that nobody has seen counts, a removal takes only what it had seen. What then shows
 * differently becomes edits, counters as differences; the merged state itself is thrown away, because no dot of a life
 * that is over may come back. Pure.
 */
import {
  type Field,
  type FieldChange,
  type Fields,
  type Schema,
  diff,
  isDead,
  merge,
  namesOf,
} from '@isthmus/conflict';
import type { FieldEdit, OperationEdit } from './field-edit.ts';

export interface LostChange {
  /** What survivors held of the record, from which counters of the change count on; `null`: nothing. */
  readonly base: Uint8Array | null;
  readonly delta: Uint8Array;
}

export type Lost =
  /** What shows would stay as it is: it was overwritten since, or is there already. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'delete' }
  /** None of them: the record was created and nothing in it was written. */
  | { readonly kind: 'edits'; readonly edits: readonly FieldEdit[] };

/** `before` is the record as it is stored now; may be empty. */
export function lostEdits(type: Schema, before: Uint8Array, { base, delta }: LostChange): Lost {
  const from = base === null ? before : joined(before, base);
  const to = joined(from, delta);
  if (!exists(to)) return exists(from) ? { kind: 'delete' } : { kind: 'nothing' };
  const shown = type.read(before).value ?? {};
  const edits = diff(type, from, to).flatMap((change) => editOf(change, { shown, fields: type.fields }));
  return edits.length === 0 && exists(from) ? { kind: 'nothing' } : { kind: 'edits', edits };
}

function joined(state: Uint8Array, other: Uint8Array): Uint8Array {
  return state.length === 0 ? other : merge(state, other).state;
}

function exists(state: Uint8Array): boolean {
  return state.length > 0 && !isDead(state);
}

interface Around {
  readonly shown: object;
  readonly fields: Fields;
}

function editOf({ path, before, after, type }: FieldChange, { shown, fields }: Around): readonly FieldEdit[] {
  const names = namesOf(path);
  const field = fieldAt(fields, names);
  return operations({ type, before, after, field, text: textAt(shown, names) }).map((operation) => ({
    ...operation,
    names,
    at: path,
  }));
}

interface Difference {
  readonly type: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly field: Field | undefined;
  /** What the record shows here as a text. */
  readonly text: string;
}

function operations({ type, before, after, field, text }: Difference): readonly OperationEdit[] {
  switch (type) {
    case 'counter':
      return [{ op: 'increment', by: numberIn(after, 0) - numberIn(before, 0) }];
    case 'bounded-counter':
      return [boundedEdit(numberIn(before, leastOf(field)), numberIn(after, leastOf(field)), field)];
    case 'set':
      return elementEdits(elementsIn(before), elementsIn(after));
    case 'text':
      return [{ op: 'splice', splices: [smallestSplice(text, typeof after === 'string' ? after : '')] }];
    default:
      return [after === undefined ? { op: 'clear' } : { op: 'set', value: after }];
  }
}

/** Nothing left is a clear: it needs nobody's rights, and what others add unseen stays. */
function boundedEdit(before: number, after: number, field: Field | undefined): OperationEdit {
  if (after >= before) return { op: 'refill', by: after - before };
  return after === leastOf(field) ? { op: 'clear' } : { op: 'spend', by: before - after };
}

function leastOf(field: Field | undefined): number {
  return field?.type === 'bounded-counter' ? (field.min ?? 0) : 0;
}

function numberIn(value: unknown, absent: number): number {
  return typeof value === 'number' ? value : absent;
}

type Element = string | number | boolean;

function elementEdits(before: readonly Element[], after: readonly Element[]): readonly OperationEdit[] {
  const [were, are] = [new Set(before), new Set(after)];
  const added = after.filter((element) => !were.has(element));
  const removed = before.filter((element) => !are.has(element));
  return [
    ...(added.length > 0 ? [{ op: 'add' as const, elements: added }] : []),
    ...(removed.length > 0 ? [{ op: 'remove' as const, elements: removed }] : []),
  ];
}

function elementsIn(value: unknown): readonly Element[] {
  return Array.isArray(value) ? value.filter(isElement) : [];
}

function isElement(value: unknown): value is Element {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** One splice; both ends that the texts share stay, and no surrogate pair is cut in two. */
function smallestSplice(from: string, to: string) {
  let [start, endFrom, endTo] = [0, from.length, to.length];
  while (start < endFrom && start < endTo && from[start] === to[start]) start++;
  if (isHighSurrogate(from.charCodeAt(start - 1))) start--;
  while (endFrom > start && endTo > start && from[endFrom - 1] === to[endTo - 1])
    [endFrom, endTo] = [endFrom - 1, endTo - 1];
  if (isLowSurrogate(from.charCodeAt(endFrom))) [endFrom, endTo] = [endFrom + 1, endTo + 1];
  return { at: start, delete: endFrom - start, insert: to.slice(start, endTo) };
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLowSurrogate(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

function fieldAt(fields: Fields, names: readonly string[]): Field | undefined {
  let field: Field | undefined = { type: 'map', fields };
  for (const name of names) {
    if (field?.type !== 'map') return undefined;
    field = 'fields' in field ? field.fields[name] : field.of;
  }
  return field;
}

function textAt(shown: object, names: readonly string[]): string {
  let value: unknown = shown;
  for (const name of names) {
    if (typeof value !== 'object' || value === null) return '';
    value = Object.getOwnPropertyDescriptor(value, name)?.value;
  }
  return typeof value === 'string' ? value : '';
}
