/**
 * A field's path as people write it: names joined by dots, where a dot inside a name is written `\.` and a backslash
 * `\\`. Parsing and formatting are each other's inverse. A path may also be given as an array of names, which needs
 * no escapes.
 */
import { readFrom, unfit } from '../arguments.ts';
import { ConflictError } from '../errors.ts';

/** A field: its names joined by dots, as `address.city`, or the names as an array. */
export type Path = string | readonly string[];

/**
 * The names of a path. Throws `invalid-argument` where a backslash stands before anything but a dot or a backslash.
 */
export function namesOf(path: Path): readonly string[] {
  if (typeof path !== 'string') return checkedNames(path);
  return path.includes('\\') ? parseEscaped(path) : path.split('.');
}

function checkedNames(path: readonly string[]): readonly string[] {
  const isFit = readFrom(path, 'path', () => Array.isArray(path) && Array.from(path, isText).every(Boolean));
  if (isFit) return path;
  throw unfit('path', 'a string or an array of names', path);
}

function isText(name: unknown): boolean {
  return typeof name === 'string';
}

function parseEscaped(path: string): readonly string[] {
  const names: string[] = [];
  let name = '';
  for (let index = 0; index < path.length; index++) {
    const character = path.charAt(index);
    if (character === '.') {
      names.push(name);
      name = '';
    } else name += character === '\\' ? escapedAt(path, ++index) : character;
  }
  names.push(name);
  return names;
}

function escapedAt(path: string, index: number): string {
  const character = path.charAt(index);
  if (character === '.' || character === '\\') return character;
  throw new ConflictError('invalid-argument', 'a backslash in a path stands before a dot or a backslash', {
    field: path,
    rule: 'path-escape',
    value: path,
  });
}

/**
 * The path of these names as one text, with dots and backslashes inside names escaped. Throws `invalid-argument` for what
 * is no array of strings.
 */
export function pathOf(names: readonly string[]): string {
  return checkedNames(names).map(escaped).join('.');
}

/** The path of a member of what has the path `parent`, which is empty for the record itself. */
export function memberPath(parent: string, name: string): string {
  return parent === '' ? escaped(name) : `${parent}.${escaped(name)}`;
}

function escaped(name: string): string {
  return name.includes('.') || name.includes('\\') ? name.replace(/[\\.]/g, '\\$&') : name;
}
