/**
 * A record as plain JSON. A field's value is always the winner among its siblings; the others stand beside it
 * and are never lost from sight. Registers that were never written or are cleared are left out, counters then
 * read 0. Equal versions mean equal answers here, for one schema.
 */
import type { JsonValue } from '../codec/json.ts';
import { decodeJson } from '../codec/json.ts';
import type { FieldDeclarations } from '../types/declarations.ts';
import type { Entry } from './decoded.ts';
import { decode } from './decoded.ts';
import { lifeOf } from './life.ts';
import { countOf, siblingsOf } from './shown.ts';
import { updatedAtOf, versionOf } from './summary.ts';

export interface Sibling {
  readonly value: JsonValue;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly actor: string;
  readonly shown: boolean;
}

export interface RecordView {
  readonly exists: boolean;
  /** Null where the record does not exist. */
  readonly value: Readonly<Record<string, JsonValue>> | null;
  /** Registers with more than one sibling. */
  readonly conflicts: readonly string[];
  /** Highest live stamp, milliseconds since 1970. */
  readonly updatedAt: number | null;
  readonly version: string;
  /** Of the registers in `conflicts`, the shown sibling first. */
  readonly siblings: Readonly<Record<string, readonly Sibling[]>>;
}

export function read(state: Uint8Array, fields: FieldDeclarations): RecordView {
  const { exists, live } = lifeOf(decode(state).entries);
  const value: Record<string, JsonValue> = {};
  const siblings: Record<string, readonly Sibling[]> = {};
  const byPath = new Map<string, Entry[]>();
  for (const entry of live) {
    const found = byPath.get(entry.path);
    if (found === undefined) byPath.set(entry.path, [entry]);
    else found.push(entry);
  }
  for (const [name, { type }] of Object.entries(fields)) {
    const entries = byPath.get(name) ?? [];
    if (type === 'counter') {
      value[name] = countOf(entries, name);
      continue;
    }
    const all = siblingsOf(entries, name).map(siblingAt);
    if (all[0] !== undefined) value[name] = all[0].value;
    if (all.length > 1) siblings[name] = all;
  }
  return {
    exists,
    value: exists ? value : null,
    conflicts: Object.keys(siblings),
    updatedAt: updatedAtOf(live),
    version: versionOf(live),
    siblings,
  };
}

function siblingAt(entry: Entry, index: number): Sibling {
  return {
    value: decodeJson(entry.payload),
    at: entry.stamp?.ms ?? 0,
    actor: entry.dot.actor,
    shown: index === 0,
  };
}
