/**
 * From a path to the declaration it names. Whatever is not declared is refused by name; prototypes are never asked,
 * so `constructor` is a field only where somebody declared it.
 */
import { longestNameBytes } from '../codec/format.ts';
import { labelOf, namesOf, type Path } from '../codec/path.ts';
import { binaryOf } from '../codec/utf8.ts';
import { check, refusal } from '../refusal.ts';
import { namesOfPath } from '../record/entry.ts';
import type { Place } from '../record/place.ts';
import type { Field, MapField } from './field.ts';

/** A place in a record and what is declared there. */
export interface PlaceOf<Declared extends Field = Field> {
  readonly field: Declared;
  readonly place: Place;
}

export function resolveField(root: PlaceOf, path: Path): PlaceOf {
  const names = namesOf(path);
  const label = typeof path === 'string' ? path : labelOf(names);
  check(names.length > 0, 'unknown-field', { field: label, rule: 'declared', value: label });
  return names.reduce((at, name) => memberAt(at, name, label), root);
}

/** A member of a map. `label` is what errors call it. Throws `unknown-field`, and `invalid-value` for an unfit name. */
export function memberAt({ place, field: map }: PlaceOf, name: string, label?: string): PlaceOf {
  const field = map.type === 'map' ? declaredMember(map, name) : undefined;
  const binary = binaryOf(name);
  const limit = longestNameBytes;
  if (field !== undefined && binary !== null && binary.length <= limit) {
    return { field, place: place.child(binary) };
  }
  const path = label ?? labelOf([...namesOfPath(place.path), name]);
  if (field === undefined) throw refusal('unknown-field', { field: path, rule: 'declared', value: path });
  const rule = binary === null ? 'well-formed-unicode' : 'name-bytes';
  throw refusal('invalid-value', { field: path, rule, limit, value: binary?.length ?? name });
}

/** The declaration of a map's member, or `undefined` where it has none. */
export function declaredMember(map: MapField, name: string): Field | undefined {
  if ('of' in map) return map.of;
  return Object.hasOwn(map.fields, name) ? map.fields[name] : undefined;
}
