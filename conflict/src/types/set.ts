/**
 * A set of strings, finite numbers and booleans in which each addition has a dot. A removal takes what it has seen, so
 * an addition that it has not seen survives (observed-remove set; Bieniusa et al., 2012). In a set biased to removal,
 * removals have dots as well and beat the additions that have not seen them. -0 is stored as 0, because JSON readers
 * do not tell them apart.
 */
import { malformed } from '../codec/byte-reader.ts';
import { tagElement } from '../codec/format.ts';
import { anyValueAt, binaryOfValue, readWhole } from '../codec/value.ts';
import type { Draft } from '../record/draft.ts';
import { kindRemoved } from '../record/liveness.ts';
import { type Place, shownAt } from '../record/place.ts';
import { without } from '../record/without.ts';
import type { SetField } from './field.ts';
import type { PlaceOf } from './resolve-field.ts';

/** What a set may hold. -0 is stored as 0; NaN and infinities are refused. */
export type Element = string | number | boolean;

const kindAdded = '\u0000';

/** Elements in canonical order: booleans, numbers by size, strings by UTF-16 units. */
export function showSet({ place }: PlaceOf) {
  const value = [...membersAt(place)].map(elementOf).toSorted(compareElements);
  return { value, live: value.length > 0 };
}

/** The elements shown, as sub-keys. */
function membersAt(place: Place): ReadonlySet<string> {
  return new Set(shownAt(place, tagElement).map(({ sub }) => sub));
}

export function elementOf(sub: string): Element {
  const value = readWhole(sub, 0);
  if (isElement(value)) return value;
  throw malformed();
}

function isElement(value: unknown): value is Element {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function compareElements(a: Element, b: Element): number {
  if (typeof a !== typeof b) return typeof a < typeof b ? -1 : 1;
  return a < b ? -1 : 1;
}

/** Adds elements, also ones that are there: the new dot protects them from removals under way. */
export function addElements(draft: Draft, { place }: PlaceOf<SetField>, elements: unknown): void {
  addSubs(draft, place, subsOf(place, elements));
}

export function removeElements(draft: Draft, at: PlaceOf<SetField>, elements: unknown): void {
  removeSubs(draft, at, subsOf(at.place, elements));
}

/** Makes the set exactly these elements and touches no others. */
export function putSet(draft: Draft, at: PlaceOf<SetField>, elements: unknown): void {
  const wanted = subsOf(at.place, elements);
  const shown = membersAt(at.place);
  addSubs(draft, at.place, without(wanted, shown));
  removeSubs(draft, at, without(shown, wanted));
}

function addSubs(draft: Draft, place: Place, subs: Iterable<string>): void {
  const payload = draft.options.lastWriterWins ? payloadOf(draft, kindAdded) : '';
  for (const sub of subs) draft.overwrite(place, { tag: tagElement, sub }, payload);
}

function removeSubs(draft: Draft, { place, field }: PlaceOf<SetField>, subs: Iterable<string>): void {
  const payload = field.bias === 'remove' ? payloadOf(draft, kindRemoved) : null;
  for (const sub of subs) draft.overwrite(place, { tag: tagElement, sub }, payload);
}

/** In collections in which the last writer wins, entries carry the edit's stamp, to be compared with deletions. */
function payloadOf({ options, stampText }: Draft, kind: string): string {
  return kind + (options.lastWriterWins ? stampText : '');
}

function subsOf(place: Place, elements: unknown): ReadonlySet<string> {
  place.check(Array.isArray(elements), 'array', elements);
  // Unlike `map`, this does not pass over holes.
  return new Set(Array.from(elements, (element: unknown) => subOf(place, element)));
}

function subOf(place: Place, element: unknown): string {
  place.check(isElement(element), 'element', element);
  return binaryOfValue(Object.is(element, -0) ? 0 : element, anyValueAt(place));
}
