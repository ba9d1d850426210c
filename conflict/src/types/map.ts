/**
 * Maps go through their members: declared ones in the order of the declaration, any others by name. A map has no
 * entry of its own, so it is shown where a member has something to show. What a put does not name is cleared, except
 * for counters, which are never set; and only what differs is written.
 */
import { textOf } from '../codec/utf8.ts';
import { defineMember, isMembers, type JsonValue } from '../codec/value.ts';
import type { Draft } from '../record/draft.ts';
import type { Place } from '../record/place.ts';
import type { MapField } from './field.ts';
import { fieldTypes, type Shown, type View } from './field-types.ts';
import { resetPlace } from './reset.ts';
import { declaredMember, memberAt, type PlaceOf } from './resolve-field.ts';

/** The value of a map, whether or not there is anything to show. */
export function showMembers({ place, field: map }: PlaceOf<MapField>, view: View) {
  const value: Record<string, JsonValue> = {};
  let live = false;
  for (const binary of 'fields' in map ? Object.keys(map.fields) : storedIn(place)) {
    const name = textOf(binary);
    const field = declaredMember(map, name);
    const shown = field && fieldTypes[field.type].show({ place: place.child(binary), field }, view);
    if (!shown || ('of' in map && !shown.live)) continue;
    live ||= shown.live;
    defineMember(value, name, shown.value);
  }
  return { value, live };
}

export function showMap(at: PlaceOf<MapField>, view: View): Shown | null {
  const shown = showMembers(at, view);
  return shown.live ? shown : null;
}

export function putMap(draft: Draft, at: PlaceOf<MapField>, value: unknown): void {
  const map = at.field;
  const place: Place = at.place;
  place.check(isMembers(value), 'object', value);
  const named = new Map(Object.entries(value));
  const stored = 'fields' in map ? [] : storedIn(place).map(textOf);
  const declared = 'fields' in map ? Object.keys(map.fields) : [];
  for (const name of new Set([...declared, ...named.keys(), ...stored])) {
    const member = memberAt(at, name);
    if (named.has(name)) fieldTypes[member.field.type].put(draft, member, named.get(name));
    else clearUnnamed(draft, member);
  }
}

function clearUnnamed(draft: Draft, { place, field }: PlaceOf): void {
  if (field.type === 'map') putMap(draft, { place, field }, {});
  else if (field.type !== 'counter' && field.type !== 'bounded-counter') resetPlace(draft, place);
}

/** Names of members that hold or held something, as binary strings. */
function storedIn({ children }: Place): readonly string[] {
  return [...children.keys()].toSorted();
}
