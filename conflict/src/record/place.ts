/**
 * The entries of a record by the place they belong to: one for each field and each member of a map, found by the binary
 * strings of their names. The root holds the mark and the deletions. Types are read from places and edited at places;
 * they know nothing of records beyond that. A tree of places is built once for a read or an edit and never kept.
 */
import { checkForm } from '../codec/byte-reader.ts';
import { pathSeparatorText } from '../codec/format.ts';
import { labelOf } from '../codec/path.ts';
import { refusal } from '../refusal.ts';
import { type Entry, latestDeletion, namesOfPath } from './entry.ts';
import { countingEntries } from './liveness.ts';

/** Most places are fields without members, and a map of their own costs more than all else about them. */
const noChildren = new Map<string, Place>();

export class Place {
  /** Binary string. */
  readonly path: string;
  readonly root: Place;
  /** By the names of members as binary strings. */
  children = noChildren;
  /** The entries, but for what is due. */
  found: Entry[] = [];
  /**
   * What an edit has put in the place of all that is at a key. However much it is, it takes one pass over the entries,
   * when somebody asks for them.
   */
  due: Map<string, Entry | null> | null = null;

  constructor(path = '', root?: Place) {
    this.path = path;
    this.root = root ?? this;
  }

  get entries(): Entry[] {
    const { due } = this;
    if (due) {
      const kept = this.found.filter(({ key }) => !due.has(key));
      this.found = [...kept, ...due.values()].filter((entry) => entry !== null);
      this.due = null;
    }
    return this.found;
  }

  /** Path in words, for errors and reports. */
  get label(): string {
    return labelOf(namesOfPath(this.path));
  }

  /** Throws `invalid-value` where a rule of the field is broken. */
  check(isKept: boolean, rule: string, value: unknown): asserts isKept {
    if (!isKept) throw refusal('invalid-value', { field: this.label, rule, value });
  }

  /** The place of a member. */
  child(name: string): Place {
    const { path, root } = this;
    let place = this.children.get(name);
    if (place === undefined) {
      place = new Place(path === '' ? name : path + pathSeparatorText + name, root);
      if (this.children === noChildren) this.children = new Map();
      this.children.set(name, place);
    }
    return place;
  }
}

export function treeOf(entries: readonly Entry[]): Place {
  const root = new Place();
  let place = root;
  for (const entry of entries) {
    if (entry.path !== place.path) place = placeAt(root, entry.path);
    place.entries.push(entry);
  }
  return root;
}

function placeAt(root: Place, path: string): Place {
  // The path of a first name that is empty would be taken for the root's.
  checkForm(!path.startsWith(pathSeparatorText));
  if (path === '') return root;
  return path.split(pathSeparatorText).reduce((place, name) => place.child(name), root);
}

/** Every entry at and below a place. */
export function entriesBelow(place: Place, found: Entry[] = []): readonly Entry[] {
  for (const entry of place.entries) found.push(entry);
  for (const child of place.children.values()) entriesBelow(child, found);
  return found;
}

export function entriesAt(place: Place, tag: number): readonly Entry[] {
  return place.entries.filter((entry) => entry.tag === tag);
}

/** Entries with a tag that count, where the record exists. */
export function shownAt(place: Place, tag: number): readonly Entry[] {
  return countingEntries(entriesAt(place, tag), latestDeletion(place.root.entries));
}
