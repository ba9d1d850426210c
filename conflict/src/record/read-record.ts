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
import { declaredMember } from '../types/resolve-field.ts';
import { readSet } from '../types/set.ts';
import { isTextShown, readText, type TextEngine } from '../types/text.ts';
import type { Entry } from './entry.ts';
import { entriesAt, type Place, treeOf, untouched } from './place.ts';

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

export function readRecord(
  entries: readonly Entry[],
  record: MapField,
  text: TextEngine | undefined,
): RecordView {
  const reading = new Reading(text);
  const { value } = reading.map(treeOf(entries), record);
  return { value, siblings: reading.siblings, exposed: reading.exposed };
}

class Reading {
  readonly siblings: Record<string, readonly Sibling[]> = {};
  readonly exposed: string[] = [];
  readonly #text: TextEngine | undefined;

  constructor(text: TextEngine | undefined) {
    this.#text = text;
  }

  map(place: Place, map: MapField) {
    const value: Record<string, JsonValue> = {};
    let live = false;
    for (const name of 'fields' in map ? Object.keys(map.fields) : storedNames(place)) {
      const field = declaredMember(map, name);
      if (field === undefined) continue;
      const shown = this.#field(place.children.get(binaryOf(name) ?? '') ?? untouched, field);
      if (shown === null || ('of' in map && !shown.live)) continue;
      live ||= shown.live;
      defineMember(value, name, shown.value);
    }
    return { value, live };
  }

  /** `null` where the field is left out. */
  #field(place: Place, field: Field): Shown | null {
    switch (field.type) {
      case 'register':
        return this.#register(place, field);
      case 'counter':
        return { value: readCounter(place), live: entriesAt(place, tagCounter).some(isOpenSlot) };
      case 'bounded-counter': {
        const live = [...rightsAt(place).values()].some((rights) => rights > 0);
        return { value: readBounded(place, field), live };
      }
      case 'set': {
        const elements = readSet(place);
        return { value: elements, live: elements.length > 0 };
      }
      case 'text':
        return { value: readText(place, this.#text), live: isTextShown(place) };
      case 'map': {
        const shown = this.map(place, field);
        return shown.live ? shown : null;
      }
    }
  }

  #register(place: Place, field: RegisterField): Shown | null {
    const view = readRegister(place, field);
    if (view === null) return null;
    if (view.siblings.length > 1) {
      defineMember(this.siblings, place.label, view.siblings);
      if (field.resolve === 'siblings') this.exposed.push(place.label);
    }
    return { value: view.value, live: true };
  }
}

function isOpenSlot(slot: Entry): boolean {
  return !isExhausted(vectorOf(slot.payload));
}

function storedNames(place: Place): readonly string[] {
  return [...place.children.keys()].toSorted().map(textOf);
}
