/**
 * The entries of a record by the place they belong to: a node for each field and each member of a map, found by the
 * binary strings of their names. The root holds the mark and the deletions. A tree is built once for a read or an
 * edit and never kept.
 */
import { pathSeparatorText } from '../codec/format.ts';
import { malformed } from '../errors.ts';
import type { Entry } from './entry.ts';

/** Most nodes are fields without members, and a map of their own costs more than all else about them. */
const noChildren: ReadonlyMap<string, FieldNode> = new Map();

export class FieldNode {
  entries: Entry[] = [];
  #children: Map<string, FieldNode> | null = null;

  get children(): ReadonlyMap<string, FieldNode> {
    return this.#children ?? noChildren;
  }

  child(name: string): FieldNode {
    const known = this.children.get(name);
    if (known !== undefined) return known;
    const node = new FieldNode();
    this.#children ??= new Map();
    this.#children.set(name, node);
    return node;
  }
}

/** A field that nothing was written to, for reading alone. */
export const untouched = new FieldNode();

export function treeOf(entries: readonly Entry[]): FieldNode {
  const root = new FieldNode();
  let node = root;
  let path = '';
  for (const entry of entries) {
    if (entry.path !== path) {
      path = entry.path;
      node = nodeAt(root, path);
    }
    node.entries.push(entry);
  }
  return root;
}

export function nodeAt(root: FieldNode, path: string): FieldNode {
  if (path === '') return root;
  // The path of a first name that is empty would be taken for the root's.
  if (path.startsWith(pathSeparatorText)) throw malformed('path');
  if (!path.includes(pathSeparatorText)) return root.child(path);
  let node = root;
  for (const name of path.split(pathSeparatorText)) node = node.child(name);
  return node;
}

/** Every entry at and below a node. */
export function entriesBelow(node: FieldNode): readonly Entry[] {
  const found: Entry[] = [];
  collect(node, found);
  return found;
}

function collect(node: FieldNode, found: Entry[]): void {
  for (const entry of node.entries) found.push(entry);
  for (const child of node.children.values()) collect(child, found);
}
