/**
 * A set of strings, finite numbers and booleans in which each addition has a dot. A removal takes what it has seen, so
 * an addition that it has not seen survives (observed-remove set; Bieniusa et al., 2012). In a set biased to removal,
 * removals have dots as well and beat the additions that have not seen them. -0 is stored as 0, because JSON readers
 * do not tell them apart.
 */
import { ByteReader } from '../codec/byte-reader.ts';
import { ByteWriter } from '../codec/byte-writer.ts';
import { tagElement } from '../codec/format.ts';
import { binaryOfBytes } from '../codec/utf8.ts';
import { readValue, writeValue } from '../codec/value.ts';
import { ConflictError, malformed } from '../errors.ts';
import type { Draft } from '../record/draft.ts';
import { type Entry, stampText } from '../record/entry.ts';
import { isRemoval, kindRemoved } from '../record/liveness.ts';
import type { SetField } from './field.ts';
import { entriesAt, type Place, visibleAt } from './place.ts';

/** What a set may hold. -0 is stored as 0; NaN and infinities are refused. */
export type Element = string | number | boolean;

const kindAdded = 0;
const writer = new ByteWriter(64);

/** Elements in canonical order: booleans, numbers by size, strings by UTF-16 units. */
export function readSet(place: Place): readonly Element[] {
  return [...membersAt(place)].map(elementOf).toSorted(compareElements);
}

/** The elements shown, as sub-keys. */
function membersAt(place: Place): ReadonlySet<string> {
  const entries = visibleAt(place, tagElement);
  const members = new Set(entries.map((entry) => entry.sub));
  for (const entry of entries) if (isRemoval(entry)) members.delete(entry.sub);
  return members;
}

export function elementOf(sub: string): Element {
  const bytes = Uint8Array.from(sub, (character) => character.charCodeAt(0));
  const reader = new ByteReader(bytes);
  const value = readValue(reader);
  if (reader.remaining > 0 || value === null || typeof value === 'object') throw malformed('element');
  return value;
}

function compareElements(a: Element, b: Element): number {
  if (typeof a !== typeof b) return typeof a < typeof b ? -1 : 1;
  return a < b ? -1 : 1;
}

export interface ElementsWrite {
  readonly elements: unknown;
  readonly bias: SetField['bias'];
  /** Whether additions carry the edit's stamp, to be compared with deletions. */
  readonly stamped: boolean;
}

/** Adds elements, also ones that are there: the new dot protects them from removals under way. */
export function addElements(draft: Draft, place: Place, write: ElementsWrite): void {
  writeElements(draft, place, { subs: subsOf(place.label, write.elements), kind: kindAdded, write });
}

export function removeElements(draft: Draft, place: Place, write: ElementsWrite): void {
  const subs = subsOf(place.label, write.elements);
  if (write.bias === 'remove') return writeElements(draft, place, { subs, kind: kindRemoved, write });
  const gone = entriesAt(place, tagElement).filter((entry) => subs.has(entry.sub));
  draft.supersede(place.node, gone);
}

/** Makes the set exactly these elements and touches no others. */
export function putSet(draft: Draft, place: Place, write: ElementsWrite): void {
  const wanted = subsOf(place.label, write.elements);
  const shown = membersAt(place);
  const missing = [...wanted].filter((sub) => !shown.has(sub)).map(elementOf);
  const surplus = [...shown].filter((sub) => !wanted.has(sub)).map(elementOf);
  if (missing.length > 0) addElements(draft, place, { ...write, elements: missing });
  if (surplus.length > 0) removeElements(draft, place, { ...write, elements: surplus });
}

function writeElements(
  draft: Draft,
  place: Place,
  { subs, kind, write }: { subs: ReadonlySet<string>; kind: number; write: ElementsWrite },
): void {
  const gone: Entry[] = entriesAt(place, tagElement).filter((entry) => subs.has(entry.sub));
  draft.supersede(place.node, gone);
  writer.reset();
  if (kind === kindRemoved || write.stamped) writer.byte(kind);
  if (write.stamped) writer.binary(stampText(draft.stamp));
  const payload = writer.finish();
  for (const sub of subs) draft.write({ path: place.path, tag: tagElement, sub }, payload);
}

function subsOf(label: string, elements: unknown): ReadonlySet<string> {
  if (!Array.isArray(elements)) {
    const message = 'elements are given as an array';
    throw new ConflictError('invalid-value', message, { field: label, rule: 'array', value: elements });
  }
  // Unlike `map`, this does not pass over holes.
  return new Set(Array.from(elements, (element: unknown) => subOf(label, element)));
}

function subOf(label: string, element: unknown): string {
  const known = typeof element === 'string' || typeof element === 'number' || typeof element === 'boolean';
  if (!known) {
    const message = 'an element is a string, a finite number or a boolean';
    throw new ConflictError('invalid-value', message, { field: label, rule: 'element', value: element });
  }
  writer.reset();
  writeValue(writer, Object.is(element, -0) ? 0 : element, { field: label, maxDepth: 0, maxBytes: Infinity });
  const bytes = writer.finish();
  return binaryOfBytes(bytes, 0, bytes.length);
}
