/**
 * A record as plain JSON: what its fields show under their declared policies, and the siblings that stand behind a
 * conflict. Registers and maps that hold nothing are left out; counters then read 0, sets are empty, texts too.
 * Entries that the declaration does not know, or knows under another type, are passed over and stay in the state.
 */
import { tagCounter } from '../codec/format.ts';
import { binaryOf, textOf } from '../codec/utf8.ts';
import { defineMember, type JsonValue } from '../codec/value.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { readBounded, rightsAt } from '../types/bounded-counter.ts';
import { readCounter } from '../types/counter.ts';
import type { Field, MapField, RegisterField, Sibling } from '../types/field.ts';
import { readRegister } from '../types/register.ts';
import { memberOf } from '../types/resolve-field.ts';
import { readSet } from '../types/set.ts';
import { isTextShown, readText, type TextEngine } from '../types/text.ts';
import type { Entry } from './entry.ts';
import { entriesAt, type Place, untouched } from './place.ts';

export interface RecordView {
  readonly value: { readonly [field: string]: JsonValue };
  /** All siblings of each register in conflict, by path, the latest first. */
  readonly siblings: { readonly [path: string]: readonly Sibling[] };
  /** Those of these paths whose policy asks to show the siblings beside the value. */
  readonly exposed: readonly string[];
}

interface Shown {
  readonly value: JsonValue;
  /** Whether anything stands behind the value; else it is the default of the type. */
  readonly live: boolean;
}

/** Throws `text-engine-missing`. */
export function readRecord(root: Place, record: MapField, text: TextEngine | undefined): RecordView {
  const view = { siblings: {}, exposed: [], text };
  const { value } = shownMap(root, record, view);
  return { value, ...view };
}

/** What is found on the way. */
interface View {
  readonly siblings: Record<string, readonly Sibling[]>;
  readonly exposed: string[];
  readonly text: TextEngine | undefined;
}

function shownMap(place: Place, map: MapField, view: View) {
  const value: Record<string, JsonValue> = {};
  let live = false;
  for (const name of 'fields' in map ? Object.keys(map.fields) : storedNames(place)) {
    const member = place.children.get(binaryOf(name) ?? '') ?? untouched;
    const shown = shownField(member, memberOf(map, name, name), view);
    if (shown === null || ('of' in map && !shown.live)) continue;
    live ||= shown.live;
    defineMember(value, name, shown.value);
  }
  return { value, live };
}

/** `null` where the field is left out. */
function shownField(place: Place, field: Field, view: View): Shown | null {
  switch (field.type) {
    case 'register':
      return shownRegister(place, field, view);
    case 'counter':
      return { value: readCounter(place), live: entriesAt(place, tagCounter).some(isOpenSlot) };
    case 'bounded-counter': {
      const live = [...rightsAt(place).values()].some((rights) => rights > 0);
      return { value: readBounded(place, field), live };
    }
    case 'set': {
      const value = readSet(place);
      return { value, live: value.length > 0 };
    }
    case 'text':
      return { value: readText(place, view.text), live: isTextShown(place) };
    case 'map': {
      const shown = shownMap(place, field, view);
      return shown.live ? shown : null;
    }
  }
}

function shownRegister(place: Place, field: RegisterField, { siblings, exposed }: View): Shown | null {
  const shown = readRegister(place, field);
  if (shown === null) return null;
  if (shown.siblings.length > 1) {
    defineMember(siblings, place.label, shown.siblings);
    if (field.resolve === 'siblings') exposed.push(place.label);
  }
  return { value: shown.value, live: true };
}

function isOpenSlot(slot: Entry): boolean {
  return !isExhausted(vectorOf(slot.payload));
}

function storedNames(place: Place): readonly string[] {
  return [...place.children.keys()].toSorted().map(textOf);
}
