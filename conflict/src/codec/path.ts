/**
 * A field's path as people write it: names joined by dots, where a dot inside a name is written `\.` and a backslash
 * `\\`. Parsing and formatting are each other's inverse. A path may also be given as an array of names, which needs
 * no escapes.
 */
import { checkArgument, readFrom } from '../arguments.ts';
import { check } from '../refusal.ts';

/** A field: its names joined by dots, as `address.city`, or the names as an array. */
export type Path = string | readonly string[];

/**
 * The names of a path. Throws `invalid-argument` where a backslash stands before anything but a dot or a backslash.
 */
export function namesOf(path: Path): readonly string[] {
  if (typeof path !== 'string') return checkedNames(path);
  if (!path.includes('\\')) return path.split('.');
  // At dots with an even number of backslashes in front.
  const names = path.split(/\.(?<=(?<!\\)(?:\\\\)*\.)/).map((name) => name.replace(/\\(.)/gs, '$1'));
  check(pathOf(names) === path, 'invalid-argument', { field: path, rule: 'path-escape', value: path });
  return names;
}

function checkedNames(path: readonly string[]): readonly string[] {
  // Unlike `every` this does not pass over holes, and ends at the first.
  const isNoText = (name: unknown) => typeof name !== 'string';
  const isNames = readFrom(path, 'path', () => Array.isArray(path) && path.findIndex(isNoText) < 0);
  checkArgument(isNames, 'path', path);
  return path;
}

/**
 * The path of these names as one text, with dots and backslashes inside names escaped. Throws `invalid-argument` for what
 * is no array of strings.
 */
export function pathOf(names: readonly string[]): string {
  return labelOf(checkedNames(names));
}

/** The same of names that are known to be texts. */
export function labelOf(names: readonly string[]): string {
  return names.map((name) => name.replace(/[\\.]/g, '\\$&')).join('.');
}
