/**
 * From a path in a request, as `address.city`, to the field that it names and its declaration. Only what is declared
 * is found, by own members alone; what is not found is answered with the nearest name at that level.
 */
import { ConflictError, namesOf, pathOf } from '@isthmus/conflict';
import type { FieldDeclaration, FieldDeclarations, MapDeclaration } from '../field-declarations.ts';
import { nearest } from '../nearest.ts';
import type { Fault } from './field-edit.ts';

export interface FoundField {
  readonly names: readonly string[];
  readonly declaration: FieldDeclaration;
}

/** `at` is where the request names the path, for the fault. */
export function findField(fields: FieldDeclarations, path: string, at: string): FoundField | Fault {
  const names = parsePath(path);
  if (names === null) return unescaped(path, at);
  let declaration: FieldDeclaration = { type: 'map', fields };
  for (const [index, name] of names.entries()) {
    const map = names.slice(0, index);
    if (declaration.type !== 'map') return noMembers(map, declaration, at);
    const member = memberOf(declaration, name);
    if (member === undefined) return unknownMember(declaration, [...map, name], at);
    declaration = member;
  }
  return { names, declaration };
}

/** The declaration of a map's member; `undefined` where it has none of that name. */
export function memberOf(map: MapDeclaration, name: string): FieldDeclaration | undefined {
  return 'of' in map ? map.of : map.fields.get(name);
}

/** The fault of naming a member that its map does not declare. */
export function unknownMember(map: MapDeclaration, names: readonly string[], at: string): Fault {
  const name = names.at(-1) ?? '';
  const near = 'of' in map ? null : nearest(name, map.fields.keys());
  const hint = near === null ? '' : ` Did you mean ${near}?`;
  const what =
    names.length > 1
      ? `The map ${shortPath(names.slice(0, -1))} has no member`
      : 'The collection has no field';
  return unknown(`${what} ${JSON.stringify(name.slice(0, 64))}.${hint}`, at);
}

/** A path in words, cut where it is too long to be told. */
export function shortPath(names: readonly string[]): string {
  return pathOf(names).slice(0, 128);
}

function parsePath(path: string): readonly string[] | null {
  try {
    return namesOf(path);
  } catch (error) {
    if (error instanceof ConflictError) return null;
    throw error;
  }
}

function noMembers(names: readonly string[], { type }: FieldDeclaration, at: string): Fault {
  return unknown(`${shortPath(names)} is a ${type} and has no members.`, at);
}

function unknown(detail: string, at: string): Fault {
  return {
    code: 'unknown-field',
    detail,
    violation: { field: at, rule: 'declared', limit: null, value: null },
  };
}

function unescaped(path: string, at: string): Fault {
  return {
    code: 'invalid-value',
    detail: `${at} is not a path: a backslash stands before a dot or another backslash.`,
    violation: { field: at, rule: 'path-escape', limit: null, value: path.slice(0, 64) },
  };
}
