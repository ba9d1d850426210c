/**
 * The value of a PUT, checked against the declaration before it comes near a record: every name is declared and every
 * value has the form of its type, at any depth, with the faults told at once. A counter keeps its value, because
 * setting one would undo changes that this region has not seen; so it is left out, or named with the value held.
 */
import { pathOf } from '@isthmus/conflict';
import type { FieldDeclaration, FieldDeclarations, MapDeclaration } from '../field-declarations.ts';
import type { Problem } from '../problem.ts';
import {
  type Fault,
  expectObject,
  isObject,
  joinPath,
  maxFaults,
  nameOfKind,
  problemOfFaults,
  untilFaulty,
} from './field-edit.ts';
import { memberOf, unknownMember } from './field-path.ts';
import { elements, read, wholeText } from './operands.ts';

/** The value of a PUT; throws `invalid-value` or `unknown-field`. */
export function parsePutValue(value: unknown, fields: FieldDeclarations, path: string): object {
  const object = expectObject(value, path);
  const problem = problemOfFaults(mapFaults({ type: 'map', fields }, object, { names: [], path }));
  if (problem !== null) throw problem;
  return object;
}

/** Refuses counters that are named with another value than the region shows; `held` is asked only where some are. */
export function refuseCounters(
  value: object,
  fields: FieldDeclarations,
  at: { readonly held: () => object; readonly path: string },
): Problem | null {
  const named = namedCounters({ type: 'map', fields }, value, []);
  if (named.length === 0) return null;
  const held = at.held();
  const told = untilFaulty(named, (counter) => counterFault(counter, held, at.path) ?? counter);
  return problemOfFaults(told.filter((counter) => 'code' in counter));
}

interface NamedCounter {
  readonly declaration: Extract<FieldDeclaration, { readonly type: 'counter' | 'bounded-counter' }>;
  readonly names: readonly string[];
  readonly value: unknown;
}

function namedCounters(
  map: MapDeclaration,
  value: object,
  names: readonly string[],
): readonly NamedCounter[] {
  const found: NamedCounter[] = [];
  for (const [name, member] of Object.entries(value)) {
    const declaration = memberOf(map, name);
    if (declaration?.type === 'map' && isObject(member))
      for (const counter of namedCounters(declaration, member, [...names, name])) found.push(counter);
    else if (declaration?.type === 'counter' || declaration?.type === 'bounded-counter')
      found.push({ declaration, names: [...names, name], value: member });
  }
  return found;
}

function counterFault({ declaration, names, value }: NamedCounter, held: object, path: string): Fault | null {
  const count = names.reduce<unknown>(memberHeld, held) ?? leastOf(declaration);
  return value === count ? null : counterSet(declaration, { at: placeText({ names, path }), count, value });
}

function leastOf(declaration: NamedCounter['declaration']): number {
  return declaration.type === 'counter' ? 0 : declaration.min;
}

function memberHeld(held: unknown, name: string): unknown {
  return isObject(held) ? Object.getOwnPropertyDescriptor(held, name)?.value : undefined;
}

interface Place {
  readonly names: readonly string[];
  /** Where in the request the whole value stands. */
  readonly path: string;
}

function mapFaults(map: MapDeclaration, value: object, { names, path }: Place): readonly Fault[] {
  const faults: Fault[] = [];
  for (const [name, member] of Object.entries(value)) {
    const declaration = memberOf(map, name);
    if (declaration !== undefined && hasAnyForm(declaration)) continue;
    if (faults.length >= maxFaults) break;
    const place = { names: [...names, name], path };
    if (declaration === undefined) faults.push(unknownMember(map, place.names, placeText(place)));
    else for (const fault of valueFaults(declaration, member, place)) faults.push(fault);
  }
  return faults;
}

/** What counters and registers take is a question of the record and of the library. */
function hasAnyForm({ type }: FieldDeclaration): boolean {
  return type === 'register' || type === 'counter' || type === 'bounded-counter';
}

function valueFaults(declaration: FieldDeclaration, value: unknown, place: Place): readonly Fault[] {
  const at = placeText(place);
  if (declaration.type === 'map')
    return isObject(value) ? mapFaults(declaration, value, place) : [noObject(value, at)];
  if (declaration.type === 'set') return formFaults(read(elements, { value, at }, () => null));
  if (declaration.type === 'text') return formFaults(read(wholeText, { value, at }, () => null));
  return [];
}

function formFaults(fault: Fault | null): readonly Fault[] {
  return fault === null ? [] : [fault];
}

function placeText({ names, path }: Place): string {
  return joinPath(path, pathOf(names));
}

function noObject(value: unknown, at: string): Fault {
  const violation = { field: at, rule: 'object', limit: null, value: nameOfKind(value) };
  return { code: 'invalid-value', detail: `${at} takes an object.`, violation };
}

function counterSet(
  { type }: FieldDeclaration,
  { at, count, value }: { readonly at: string; readonly count: unknown; readonly value: unknown },
): Fault {
  const instead = type === 'counter' ? 'increment' : 'refill or spend';
  return {
    code: 'wrong-operation',
    detail: `${at} is a ${type} and is not set: leave it out, name the value held (${String(count)}), or PATCH with ${instead}.`,
    violation: {
      field: at,
      rule: 'counter-keeps-value',
      limit: count,
      value: typeof value === 'number' ? value : nameOfKind(value),
    },
  };
}
