/**
 * What changed between two readings of a record, field by field, in plain JSON. Maps are compared member by member;
 * everything else is reported whole, with what it was and what it is.
 */
import { checkArgument, readFrom } from '../arguments.ts';
import { pathOf } from '../codec/path.ts';
import type { MapField } from '../types/field.ts';
import type { Schema } from './schema.ts';

/** One field that shows something else than before. */
export interface FieldChange {
  /** Path of the field, as `field.member`. */
  readonly path: string;
  /** Its declared type. */
  readonly type: string;
  /** `undefined` where the field showed nothing. */
  readonly before: unknown;
  /** `undefined` where the field shows nothing any more. */
  readonly after: unknown;
}

type Members = { readonly [name: string]: unknown };

/**
 * What is shown in `after` and was not, or not so, in `before`: changes in the order of the declaration, members of
 * open maps by name. Throws what `Schema.read` throws, and `invalid-argument` for what is no schema.
 */
export function diff(type: Schema, before: Uint8Array, after: Uint8Array): readonly FieldChange[] {
  checkSchema(type);
  const changes: FieldChange[] = [];
  const sides = { before: shownIn(type, before), after: shownIn(type, after), changes };
  diffMap({ type: 'map', fields: type.fields }, [], sides);
  return changes;
}

/** Anything that reads and has fields passes: schemas may be wrapped. */
export function checkSchema(type: unknown): void {
  const isOne = readFrom(type, 'type', () => {
    const { fields, read } = Object(type);
    return typeof read === 'function' && isMembers(fields);
  });
  checkArgument(isOne, 'type', type);
}

function shownIn(type: Schema, state: Uint8Array): Members {
  return type.read(state).value ?? {};
}

interface Sides {
  readonly before: Members;
  readonly after: Members;
  readonly changes: FieldChange[];
}

function diffMap(map: MapField, names: readonly string[], { before, after, changes }: Sides): void {
  for (const name of memberNames(map, before, after)) {
    const field = 'fields' in map ? map.fields[name] : map.of;
    const [old, next] = [memberOf(before, name), memberOf(after, name)];
    if (field === undefined || sameJson(old, next)) continue;
    const path = [...names, name];
    if (field.type === 'map')
      diffMap(field, path, { before: membersOf(old), after: membersOf(next), changes });
    else changes.push({ path: pathOf(path), type: field.type, before: old, after: next });
  }
}

function memberNames(map: MapField, before: Members, after: Members): readonly string[] {
  if ('fields' in map) return Object.keys(map.fields);
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
}

function memberOf(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

function membersOf(value: unknown): Members {
  return isMembers(value) ? value : {};
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Values that were read come with sorted members, so their texts can be compared. */
function sameJson(a: unknown, b: unknown): boolean {
  return Object.is(a, b) || (typeof a === 'object' && typeof b === 'object' && textOf(a) === textOf(b));
}

/** JSON that tells -0 from 0, and both from what somebody wrote as a text. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, each: unknown) => {
    if (typeof each === 'string') return `"${each}`;
    return Object.is(each, -0) ? '-0' : each;
  });
}
