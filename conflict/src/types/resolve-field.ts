/**
 * From a path to the declaration it names. Whatever is not declared is refused by name; prototypes are never asked,
 * so `constructor` is a field only where somebody declared it.
 */
import { longestNameBytes } from '../codec/format.ts';
import { namesOf, type Path, pathOf } from '../codec/path.ts';
import { binaryOf } from '../codec/utf8.ts';
import { check, refusal } from '../refusal.ts';
import type { Place } from '../record/place.ts';
import type { Field, MapField } from './field.ts';

/** A place in a record and what is declared there. */
export interface PlaceOf<Declared extends Field = Field> {
  readonly field: Declared;
  readonly place: Place;
}

export function resolveField(root: PlaceOf, path: Path): PlaceOf {
  const names = namesOf(path);
  const label = typeof path === 'string' ? path : pathOf(names);
  let { field, place } = root;
  for (const name of names) {
    field = memberOf(field, name, label);
    place = place.child(binaryName(name, label));
  }
  check(names.length > 0, 'unknown-field', { field: label, rule: 'declared', value: label });
  return { field, place };
}

/** The declaration of a member. Throws `unknown-field` where there is none. */
export function memberOf(field: Field, name: string, label: string): Field {
  const member = field.type === 'map' ? declaredMember(field, name) : undefined;
  if (member !== undefined) return member;
  throw refusal('unknown-field', { field: label, rule: 'declared', value: label });
}

/** The declaration of a map's member, or `undefined` where it has none. */
export function declaredMember(map: MapField, name: string): Field | undefined {
  if ('of' in map) return map.of;
  return Object.hasOwn(map.fields, name) ? map.fields[name] : undefined;
}

export function binaryName(name: string, label: string): string {
  const binary = binaryOf(name);
  const limit = longestNameBytes;
  const isFit = binary !== null && binary.length <= limit;
  const rule = binary === null ? 'well-formed-unicode' : 'name-bytes';
  if (isFit) return binary;
  throw refusal('invalid-value', { field: label, rule, limit, value: binary?.length ?? name });
}
