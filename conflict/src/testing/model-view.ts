/**
 * What a set of facts shows: existence, values, siblings in conflict and the time of the last change, each computed
 * from the facts in the most obvious way. A text is shown as the set of its characters, because where concurrent
 * insertions stand among each other is for the text engine to say.
 */
import type { JsonValue } from '../codec/value.ts';
import type { Field, Fields, MapField, RegisterField } from '../types/field.ts';
import { isLater, isWithin, samePath, type Typed, type Write } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import { holdersAt, rightsOf, standingOf } from './model-rights.ts';
import type { Names } from './operation.ts';

export interface ModelSibling {
  readonly value: JsonValue;
  readonly at: number;
  readonly logical: number;
  readonly actor: string;
}

/** The characters of a text, in no order. */
export class Characters {
  readonly all: ReadonlySet<string>;
  readonly path: Names;

  constructor(all: ReadonlySet<string>, path: Names) {
    this.all = all;
    this.path = path;
  }
}

interface Shown {
  /** `undefined` where the field is left out. */
  readonly value: unknown;
  readonly live: boolean;
}

/** The registers that are written and not hidden, the latest first. */
export function siblingsAt(known: Knowledge, path: Names): readonly ModelSibling[] {
  const writes = known
    .currentAt(path)
    .filter((write) => write.of === 'register' && !known.isHidden(write))
    .toSorted((a, b) => (isLater(a, b) ? -1 : 1));
  return writes.map(({ value, time, actor }) => ({
    value,
    at: time?.[0] ?? 0,
    logical: time?.[1] ?? 0,
    actor,
  }));
}

export function registerAt(known: Knowledge, path: Names, field: RegisterField): JsonValue | undefined {
  const siblings = siblingsAt(known, path);
  if (siblings.length < 2 || typeof field.resolve !== 'function') return siblings[0]?.value;
  // Dots are none of the model's business: a resolver that is tested must not look at counters.
  return field.resolve(
    siblings.map((each, index) => ({
      ...each,
      counter: 0,
      shown: index === 0,
    })),
  );
}

/** Elements with an addition and no removal. */
export function elementsAt(known: Knowledge, path: Names): readonly JsonValue[] {
  const seen = known.currentAt(path).filter((write) => !known.isHidden(write));
  const removed = new Set(seen.filter((write) => write.of === 'removed').map((write) => write.value));
  const added = seen.filter((write) => write.of === 'added').map((write) => write.value);
  return [...new Set(added)].filter((element) => !removed.has(element));
}

export function counterAt(known: Knowledge, path: Names): number {
  return openIncrements(known, path).reduce((sum, { amount }) => sum + amount, 0);
}

function openIncrements(known: Knowledge, path: Names) {
  return known.increments().filter((each) => samePath(each.path, path) && known.isOpen(each));
}

export function boundedAt(known: Knowledge, path: Names, min: number): number {
  const rights = holdersAt(known, path).map((actor) => rightsOf(known, path, actor));
  return (
    min +
    Math.max(
      0,
      rights.reduce((sum, each) => sum + each, 0),
    )
  );
}

export function isTextShown(known: Knowledge, path: Names): boolean {
  return known.writesAt(path).some((write) => write.of === 'chunk' && !known.isHidden(write));
}

export function charactersAt(known: Knowledge, path: Names): ReadonlySet<string> {
  return isTextShown(known, path) ? lettersOf(known.typedAt(path)) : new Set();
}

export function lettersOf(typed: readonly Typed[]): ReadonlySet<string> {
  const letters = new Set(typed.flatMap((each) => each.inserted));
  for (const each of typed) for (const letter of each.erased) letters.delete(letter);
  return letters;
}

/** Paths, below a map, at which anything was ever written. */
export function pathsBelow(known: Knowledge, map: Names): readonly Names[] {
  const paths = [
    ...known.writes().map((write) => write.path),
    ...known.increments().map((each) => each.path),
    ...known.accounts().map((account) => account.path),
  ];
  return paths.filter((path) => path.length > map.length && isWithin(path, map));
}

export function memberNames(known: Knowledge, field: MapField, path: Names): readonly string[] {
  if ('fields' in field) return Object.keys(field.fields);
  return [...new Set(pathsBelow(known, path).map((below) => below[path.length] ?? ''))];
}

export function declarationOf(field: MapField, name: string): Field | undefined {
  if ('of' in field) return field.of;
  return Object.hasOwn(field.fields, name) ? field.fields[name] : undefined;
}

export function fieldAt(fields: Fields, path: Names): Field | undefined {
  let field: Field | undefined = { type: 'map', fields };
  for (const name of path) field = field?.type === 'map' ? declarationOf(field, name) : undefined;
  return field;
}

function showMap(known: Knowledge, field: MapField, path: Names): Shown {
  const value = new Map<string, unknown>();
  let live = false;
  for (const name of memberNames(known, field, path)) {
    const member = declarationOf(field, name);
    if (member === undefined) continue;
    const shown = show(known, member, [...path, name]);
    if (shown.value === undefined || ('of' in field && !shown.live)) continue;
    if (shown.live) live = true;
    value.set(name, shown.value);
  }
  return { value, live };
}

function show(known: Knowledge, field: Field, path: Names): Shown {
  switch (field.type) {
    case 'register': {
      const value = registerAt(known, path, field);
      return { value, live: value !== undefined };
    }
    case 'counter':
      return { value: counterAt(known, path), live: openIncrements(known, path).length > 0 };
    case 'bounded-counter': {
      const live = holdersAt(known, path).some((actor) => rightsOf(known, path, actor) > 0);
      return { value: boundedAt(known, path, field.min ?? 0), live };
    }
    case 'set': {
      const value = elementsAt(known, path);
      return { value: new Set(value), live: value.length > 0 };
    }
    case 'text':
      return {
        value: new Characters(charactersAt(known, path), path),
        live: isTextShown(known, path),
      };
    case 'map': {
      const shown = showMap(known, field, path);
      return shown.live ? shown : { value: undefined, live: false };
    }
  }
}

/** The record as maps, sets and plain values; `null` where it does not exist. */
export function viewOf(known: Knowledge, fields: Fields): ReadonlyMap<string, unknown> | null {
  if (!existsIn(known)) return null;
  const { value } = showMap(known, { type: 'map', fields }, []);
  return value instanceof Map ? value : null;
}

/** Whether a write counts towards the record's being there. */
export function isLiveWrite(known: Knowledge, write: Write): boolean {
  if (write.of === 'chunk') return isTextShown(known, write.path);
  if (['deletion', 'removed', 'remnant', 'client'].includes(write.of)) return false;
  if (known.isHidden(write) || !known.current().includes(write)) return false;
  return write.of !== 'added' || elementsAt(known, write.path).includes(write.value);
}

/** Whether anything but the mark is live. */
export function hasLiveField(known: Knowledge): boolean {
  return (
    known.writes().some((write) => write.of !== 'mark' && isLiveWrite(known, write)) ||
    known.increments().some((each) => known.isOpen(each)) ||
    known.accounts().some((account) => {
      const { granted, grantedBefore } = standingOf(known, account);
      return granted > grantedBefore;
    })
  );
}

/** A record exists while its mark is live or, where nothing was deleted by time, any field. */
export function existsIn(known: Knowledge): boolean {
  if (known.writes().some((write) => write.of === 'mark' && !known.isHidden(write))) return true;
  return known.deletion() === null && hasLiveField(known);
}

/** Milliseconds of the latest time among what is live. */
export function updatedIn(known: Knowledge): number | null {
  if (!existsIn(known)) return null;
  const times = known
    .writes()
    .filter((write) => write.time !== null && isLiveWrite(known, write))
    .map((write) => write.time?.[0] ?? 0);
  return times.length === 0 ? null : Math.max(...times);
}
