/**
 * A register holds one value of JSON. A write supersedes the siblings that it has seen; writes that have not seen
 * each other stay side by side until a later one has seen them. Which of them is shown is a question of the view: the
 * latest stamp, ties by dot, or a resolver of the declaration.
 */
import { isObject } from '../arguments.ts';
import { tagRegister } from '../codec/format.ts';
import { textOf } from '../codec/utf8.ts';
import { anyValueAt, binaryOfValue, type JsonValue, readWhole } from '../codec/value.ts';
import type { Draft } from '../record/draft.ts';
import { compareByStamp, type Entry, stampAt, stampLength } from '../record/entry.ts';
import { type Place, shownAt } from '../record/place.ts';
import type { RegisterField, Sibling } from './field.ts';
import type { View } from './field-types.ts';
import type { PlaceOf } from './resolve-field.ts';

export interface RegisterView {
  readonly value: JsonValue;
  /** The latest first; one where there is no conflict. */
  readonly siblings: readonly Sibling[];
}

/** `null` where nothing was written, or all of it was cleared or deleted. */
export function showRegister(at: PlaceOf<RegisterField>, { siblings, exposed }: View) {
  const shown = readRegister(at);
  if (shown === null) return null;
  if (shown.siblings.length > 1) {
    const { label } = at.place;
    siblings[label] = shown.siblings;
    if (at.field.resolve === 'siblings') exposed.push(label);
  }
  return { value: shown.value, live: true };
}

function readRegister({ place, field }: PlaceOf<RegisterField>): RegisterView | null {
  const latestFirst = shownAt(place, tagRegister).toSorted((a, b) => compareByStamp(b, a));
  return viewOf(latestFirst, field, place);
}

/** What a register shows of entries that are visible, the latest first. */
export function viewOf(entries: readonly Entry[], field: RegisterField, place: Place): RegisterView | null {
  const siblings = siblingsOf(entries);
  const [first] = siblings;
  if (first === undefined) return null;
  if (siblings.length === 1 || typeof field.resolve !== 'function') return { value: first.value, siblings };
  // A resolver is anybody's code and gets siblings of its own, so that what it does to them shows nowhere.
  return resolved(siblings, field.resolve(siblingsOf(entries)), place);
}

function siblingsOf(entries: readonly Entry[]): readonly Sibling[] {
  return entries.map((entry, index) => siblingOf(entry, index === 0));
}

function resolved(siblings: readonly Sibling[], value: JsonValue, place: Place): RegisterView {
  const scope = anyValueAt(place);
  const shown = binaryOfValue(value, scope);
  const marked = siblings.map((each) => ({ ...each, shown: binaryOfValue(each.value, scope) === shown }));
  return { value: readWhole(shown, 0), siblings: marked };
}

export function siblingOf(entry: Entry, shown: boolean): Sibling {
  const { payload, actor, counter } = entry;
  const value = readWhole(payload, stampLength(payload, 0));
  const { ms, logical } = stampAt(payload, 0);
  return { value, at: ms, logical, actor: textOf(actor), counter, shown };
}

/** Writes a value, also an equal one. */
export function setRegister(draft: Draft, { place }: PlaceOf, value: unknown): void {
  store(draft, place, payloadOf(draft, place, value));
}

/** Writes the value of a sibling again. */
export function restoreRegister(draft: Draft, at: PlaceOf, sibling: unknown): void {
  at.place.check(isObject(sibling) && 'value' in sibling, 'sibling', sibling);
  setRegister(draft, at, sibling.value);
}

/** Writes a value where the register shows another one; equal values have equal bytes. */
export function putRegister(draft: Draft, at: PlaceOf<RegisterField>, value: unknown): void {
  const { place } = at;
  const payload = payloadOf(draft, place, value);
  // A single value is compared as it lies, because newer code may have written what cannot be read here.
  const [only, other] = shownAt(place, tagRegister);
  const view = other && readRegister(at);
  const shown = view ? binaryOfValue(view.value, anyValueAt(place)) : only && valueIn(only.payload);
  if (shown !== valueIn(payload)) store(draft, place, payload);
}

function payloadOf({ stampText, options }: Draft, at: Place, value: unknown): string {
  const { depth: maxDepth, deltaBytes: maxBytes } = options.limits;
  return stampText + binaryOfValue(value, { at, maxDepth, maxBytes });
}

function store(draft: Draft, place: Place, payload: string): void {
  draft.overwrite(place, { tag: tagRegister, sub: '' }, payload);
}

/** What comes after the stamp, as a binary string. */
function valueIn(payload: string): string {
  return payload.slice(stampLength(payload, 0));
}
