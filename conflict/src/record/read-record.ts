/**
 * A record as plain JSON: what its fields show under their declared policies, and the siblings that stand behind a
 * conflict. Registers and maps that hold nothing are left out; counters then read 0, sets are empty, texts too.
 * Entries that the declaration does not know, or knows under another type, are passed over and stay in the state.
 */
import { tagCounter } from '../codec/format.ts';
import { memberPath } from '../codec/path.ts';
import { binaryOf, textOf } from '../codec/utf8.ts';
import { defineMember, type JsonValue } from '../codec/value.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { readBounded, rightsAt } from '../types/bounded-counter.ts';
import { readCounter } from '../types/counter.ts';
import type { Field, Fields, MapField, RegisterField, Sibling } from '../types/field.ts';
import { entriesAt, type Place } from '../types/place.ts';
import { readRegister } from '../types/register.ts';
import { readSet } from '../types/set.ts';
import { isTextShown, readText, type TextEngine } from '../types/text.ts';
import type { Entry } from './entry.ts';
import { latestDeletion } from './entry.ts';
import { type FieldNode, treeOf, untouched } from './field-tree.ts';

export interface ReadOptions {
  readonly fields: Fields;
  readonly text: TextEngine | undefined;
}

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

export function readRecord(entries: readonly Entry[], options: ReadOptions): RecordView {
  const reading = new Reading(options.text, latestDeletion(entries));
  const { value } = reading.map(treeOf(entries), { type: 'map', fields: options.fields }, '');
  return { value, siblings: reading.siblings, exposed: reading.exposed };
}

class Reading {
  readonly siblings: Record<string, readonly Sibling[]> = {};
  readonly exposed: string[] = [];
  readonly #text: TextEngine | undefined;
  readonly #deletion: Entry | null;

  constructor(text: TextEngine | undefined, deletion: Entry | null) {
    this.#text = text;
    this.#deletion = deletion;
  }

  map(node: FieldNode, map: MapField, path: string) {
    const value: Record<string, JsonValue> = {};
    let live = false;
    for (const name of 'fields' in map ? Object.keys(map.fields) : storedNames(node)) {
      const field = 'fields' in map ? map.fields[name] : map.of;
      if (field === undefined) continue;
      const child = node.children.get(binaryOf(name) ?? '') ?? untouched;
      const shown = this.#field(child, field, memberPath(path, name));
      if (shown === null || ('of' in map && !shown.live)) continue;
      if (shown.live) live = true;
      defineMember(value, name, shown.value);
    }
    return { value, live };
  }

  /** `null` where the field is left out. */
  #field(node: FieldNode, field: Field, label: string): Shown | null {
    if (node === untouched && (field.type === 'register' || field.type === 'map')) return null;
    const place: Place = { path: '', label, node, deletion: this.#deletion };
    if (field.type === 'map') {
      const shown = this.map(node, field, label);
      return shown.live ? shown : null;
    }
    if (field.type === 'register') return this.#register(place, field);
    if (field.type === 'counter') {
      return { value: readCounter(place), live: entriesAt(place, tagCounter).some(isOpenSlot) };
    }
    if (field.type === 'bounded-counter') {
      return {
        value: readBounded(place, field),
        live: [...rightsAt(place).values()].some((rights) => rights > 0),
      };
    }
    if (field.type === 'text') return { value: readText(place, this.#text), live: isTextShown(place) };
    const elements = readSet(place);
    return { value: elements, live: elements.length > 0 };
  }

  #register(place: Place, field: RegisterField): Shown | null {
    const view = readRegister(place, field);
    if (view === null) return null;
    if (view.siblings.length > 1) this.#note(place.label, view.siblings, field.resolve === 'siblings');
    return { value: view.value, live: true };
  }

  #note(label: string, siblings: readonly Sibling[], exposed: boolean): void {
    defineMember(this.siblings, label, siblings);
    if (exposed) this.exposed.push(label);
  }
}

function isOpenSlot(slot: Entry): boolean {
  return !isExhausted(vectorOf(slot.payload));
}

function storedNames(node: FieldNode): readonly string[] {
  return [...node.children.keys()].toSorted().map(textOf);
}
