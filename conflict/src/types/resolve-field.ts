/**
 * From a path to the declaration it names. Whatever is not declared is refused by name; prototypes are never asked,
 * so `constructor` is a field only where somebody declared it.
 */
import { pathSeparatorText } from '../codec/format.ts';
import { longestNameBytes } from '../codec/format.ts';
import { namesOf, type Path, pathOf } from '../codec/path.ts';
import { binaryOf } from '../codec/utf8.ts';
import { ConflictError } from '../errors.ts';
import type { Field, Fields, MapField } from './field.ts';

export interface ResolvedField {
  readonly field: Field;
  /** Binary string. */
  readonly path: string;
  readonly label: string;
}

export function resolveField(fields: Fields, path: Path): ResolvedField {
  const names = namesOf(path);
  const label = typeof path === 'string' ? path : pathOf(path);
  let field: Field = { type: 'map', fields };
  const parts: string[] = [];
  for (const name of names) {
    field = memberOf(field, name, label);
    parts.push(binaryName(name, label));
  }
  if (parts.length === 0) throw unknownField(label);
  return { field, path: parts.join(pathSeparatorText), label };
}

function memberOf(field: Field, name: string, label: string): Field {
  const member = field.type === 'map' ? declaredMember(field, name) : undefined;
  if (member === undefined) throw unknownField(label);
  return member;
}

/** The declaration of a map's member, or `undefined` where it has none. */
export function declaredMember(map: MapField, name: string): Field | undefined {
  if ('of' in map) return map.of;
  return Object.hasOwn(map.fields, name) ? map.fields[name] : undefined;
}

export function unknownField(label: string): ConflictError {
  return new ConflictError('unknown-field', 'the schema declares no such field', {
    field: label,
    rule: 'declared',
    value: label,
  });
}

export function binaryName(name: string, label: string): string {
  const binary = binaryOf(name);
  if (binary !== null && binary.length <= longestNameBytes) return binary;
  const rule = binary === null ? 'well-formed-unicode' : 'name-bytes';
  throw new ConflictError('invalid-value', 'the name of a member is not fit to be stored', {
    field: label,
    rule,
    limit: longestNameBytes,
    value: binary === null ? name : binary.length,
  });
}
