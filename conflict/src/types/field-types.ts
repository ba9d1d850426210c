/**
 * What can be done with a field, by its type: what its declaration may say, what is shown of it, how a value is put,
 * and the operations of an edit that it takes. This is the one place that lists the types; nothing else asks which one
 * it has before it, but for maps, which are followed by whoever goes through a record. Maps are here because they go
 * through members of any type: declared ones in the order of the declaration, others by name.
 */
import { textOf } from '../codec/utf8.ts';
import { isMembers, type JsonValue } from '../codec/value.ts';
import type { Draft } from '../record/draft.ts';
import type { Place } from '../record/place.ts';
import { moveRights, putBounded, refill, showBounded, spend } from './bounded-counter.ts';
import { increment, putCounter, showCounter } from './counter.ts';
import type { Field, MapField, Sibling } from './field.ts';
import { putRegister, restoreRegister, setRegister, showRegister } from './register.ts';
import { resetPlace } from './reset.ts';
import { declaredMember, memberAt, type PlaceOf } from './resolve-field.ts';
import { addElements, putSet, removeElements, showSet } from './set.ts';
import { putText, showText, spliceText, type TextEngine } from './text.ts';

export interface Shown {
  readonly value: JsonValue;
  /** Whether anything stands behind the value; else it is the default of the type. */
  readonly live: boolean;
}

/** What is found on the way while a record is read. */
export interface View {
  /** All siblings of each register in conflict, by path, the latest first. */
  readonly siblings: Record<string, readonly Sibling[]>;
  /** Those of these paths whose policy asks to show the siblings beside the value. */
  readonly exposed: string[];
  readonly text: TextEngine | undefined;
}

/** Each function is called only with fields of its own type. */
interface FieldType {
  /** Options by name, and whether they may be this value. */
  readonly options: { readonly [option: string]: (value: unknown) => boolean };
  /** `null` where the field is left out. */
  show(at: PlaceOf, view: View): Shown | null;
  put(draft: Draft, at: PlaceOf, value: unknown): void;
}

export const fieldTypes: { readonly [Type in Field['type']]: FieldType } = {
  register: {
    options: { resolve: (value) => typeof value === 'function' || oneOf(value, 'last-writer', 'siblings') },
    show: showRegister,
    put: putRegister,
  },
  counter: { options: {}, show: showCounter, put: putCounter },
  'bounded-counter': {
    options: { min: Number.isSafeInteger },
    show: showBounded,
    put: putBounded,
  },
  set: {
    options: { bias: (value) => oneOf(value, 'add', 'remove') },
    show: showSet,
    put: putSet,
  },
  text: { options: {}, show: showText, put: putText },
  map: { options: { fields: isMembers, of: isMembers }, show: showMap, put: putMap },
};

/** Operations of the editor, the type of the fields that take them, and what they do. */
export const operations: readonly (readonly [name: string, type: Field['type'], run: FieldType['put']])[] = [
  ['set', 'register', setRegister],
  ['restore', 'register', restoreRegister],
  ['increment', 'counter', increment],
  ['spend', 'bounded-counter', spend],
  ['refill', 'bounded-counter', refill],
  ['moveRights', 'bounded-counter', moveRights],
  ['add', 'set', addElements],
  ['remove', 'set', removeElements],
  ['splice', 'text', spliceText],
];

function oneOf(value: unknown, ...choices: readonly unknown[]): boolean {
  return choices.includes(value);
}

/** The value of a map, whether or not there is anything to show. */
export function showMembers({ place, field: map }: PlaceOf<MapField>, view: View) {
  const members: (readonly [string, JsonValue])[] = [];
  let live = false;
  for (const binary of membersOf({ place, field: map })) {
    const name = textOf(binary);
    const field = declaredMember(map, name);
    const shown = field && fieldTypes[field.type].show({ place: place.child(binary), field }, view);
    if (!shown || ('of' in map && !shown.live)) continue;
    live ||= shown.live;
    members.push([name, shown.value]);
  }
  return { value: Object.fromEntries(members), live };
}

/** A map has no entry of its own, so it is shown where a member has something to show. */
function showMap(at: PlaceOf<MapField>, view: View): Shown | null {
  const shown = showMembers(at, view);
  return shown.live ? shown : null;
}

/** What a put does not name is cleared, except for counters, which are never set; only what differs is written. */
export function putMap(draft: Draft, at: PlaceOf<MapField>, value: unknown): void {
  const place: Place = at.place;
  place.check(isMembers(value), 'object', value);
  const named = new Map(Object.entries(value));
  for (const name of new Set([...membersOf(at).map(textOf), ...named.keys()])) {
    const member = memberAt(at, name);
    if (named.has(name)) fieldTypes[member.field.type].put(draft, member, named.get(name));
    else clearUnnamed(draft, member);
  }
}

function clearUnnamed(draft: Draft, { place, field }: PlaceOf): void {
  if (field.type === 'map') putMap(draft, { place, field }, {});
  else if (field.type !== 'counter' && field.type !== 'bounded-counter') resetPlace(draft, place);
}

/** Names as binary strings: of declared members in their order, of others where they hold or held something. */
function membersOf({ place, field: map }: PlaceOf<MapField>): readonly string[] {
  return 'fields' in map ? Object.keys(map.fields) : [...place.children.keys()].toSorted();
}
