/**
 * The entries of a record by the place they belong to: one for each field and each member of a map, found by the binary
 * strings of their names. The root holds the mark and the deletions. Types are read from places and edited at places;
 * they know nothing of records beyond that. A tree of places is built once for a read or an edit and never kept.
 */
import { pathSeparatorText } from '../codec/format.ts';
import { labelOf } from '../codec/path.ts';
import { checkForm } from '../refusal.ts';
import { type Entry, isOutdated, latestDeletion, namesOfPath } from './entry.ts';
import { isHidden } from './liveness.ts';

export class Place {
  /** Binary string. */
  readonly path: string;
  readonly root: Place;
  /** By the names of members as binary strings. */
  readonly children = new Map<string, Place>();
  entries: Entry[] = [];

  constructor(path = '', root?: Place) {
    this.path = path;
    this.root = root ?? this;
  }

  /** Path in words, for errors and reports. */
  get label(): string {
    return labelOf(namesOfPath(this.path));
  }

  /** What hides earlier entries, in collections in which the last writer wins. */
  get deletion(): Entry | null {
    return latestDeletion(this.root.entries);
  }

  /** The place of a member. */
  child(name: string): Place {
    const { path, root, children } = this;
    const place = children.get(name) ?? new Place(path === '' ? name : path + pathSeparatorText + name, root);
    children.set(name, place);
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
  if (path === '') return root;
  const [first = '', ...others] = path.split(pathSeparatorText);
  // The path of a first name that is empty would be taken for the root's.
  checkForm(first !== '', 'path');
  return others.reduce((place, name) => place.child(name), root.child(first));
}

/** Every entry at and below a place. */
export function entriesBelow({ entries, children }: Place): readonly Entry[] {
  return [entries, ...Array.from(children.values(), entriesBelow)].flat();
}

export function entriesAt(place: Place, tag: number): readonly Entry[] {
  return place.entries.filter((entry) => entry.tag === tag);
}

/** Entries with a tag that are not hidden, of each actor the latest at a key. */
export function visibleAt(place: Place, tag: number): readonly Entry[] {
  const { deletion } = place;
  return entriesAt(place, tag).filter(
    (entry, index, all) => !isOutdated(entry, all[index + 1]) && !isHidden(entry, deletion),
  );
}
