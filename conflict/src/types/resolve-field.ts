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
  check(names.length > 0, 'unknown-field', { rule: 'declared', value: '' });
  return names.reduce(memberAt, root);
}

/** A member of a map. Throws `unknown-field`, and `invalid-value` for an unfit name. */
export function memberAt({ place, field: map }: PlaceOf, name: string): PlaceOf {
  const declared = map.type === 'map' ? declaredMember(map, name) : undefined;
  const binary = binaryOf(name);
  const limit = longestNameBytes;
  if (declared !== undefined && binary !== null && binary.length <= limit) {
    return { field: declared, place: place.child(binary) };
  }
  const field = labelOf([...namesOfPath(place.path), name]);
  check(declared !== undefined, 'unknown-field', { field, rule: 'declared', value: field });
  const rule = binary === null ? 'well-formed-unicode' : 'name-bytes';
  throw refusal('invalid-value', { field, rule, limit, value: binary?.length ?? name });
}

/** The declaration of a map's member, or `undefined` where it has none. */
export function declaredMember(map: MapField, name: string): Field | undefined {
  if ('of' in map) return map.of;
  return Object.hasOwn(map.fields, name) ? map.fields[name] : undefined;
}
