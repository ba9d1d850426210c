/**
 * Merging and looking at records without a schema. Everything takes any bytes: what is no record in this format ends
 * in `ConflictError` `malformed`, never in a loop and never in more memory than the bytes take.
 */
import { compareBytes } from '../codec/byte-reader.ts';
import { stampText } from '../clock/stamp.ts';
import { decodeSlot } from '../types/counter.ts';
import { decodeJson } from '../codec/json.ts';
import { decodeRecord, encodeRecord } from './format.ts';
import { joinRecords } from './join.ts';
import { hashOfLive, liveEntries } from './live.ts';
import { highestStampOf, kinds } from './record.ts';
import type { Entry, RecordParts } from './record.ts';

export interface MergeResult {
  /** The very bytes that were given first where the second added nothing. */
  readonly state: Uint8Array;
  readonly changed: boolean;
  /** Fields that now hold several values because of what came in. */
  readonly conflicts: readonly string[];
}

/** Joins a state or delta with another. Commutative, associative, idempotent. */
export function merge(state: Uint8Array, delta: Uint8Array): MergeResult {
  const [before, added] = [decodeRecord(state), decodeRecord(delta)];
  const joined = joinRecords(before, added);
  const bytes = encodeRecord(joined);
  if (compareBytes(bytes, state) === 0) return { state, changed: false, conflicts: [] };
  return { state: bytes, changed: true, conflicts: newConflicts(before, added, joined) };
}

function newConflicts(before: RecordParts, added: RecordParts, joined: RecordParts): readonly string[] {
  const counts = new Map<string, number>();
  for (const { kind, field } of joined.entries) {
    if (kind === kinds.register) counts.set(field, (counts.get(field) ?? 0) + 1);
  }
  const fresh = added.entries.filter(
    (entry) => entry.kind === kinds.register && !before.context.has(entry.dot),
  );
  return [...new Set(fresh.map((entry) => entry.field))].filter((field) => (counts.get(field) ?? 0) > 1);
}

/** Milliseconds since 1970 of the highest stamp in a state or delta; `null` where it has none. */
export function highestStamp(bytes: Uint8Array): number | null {
  return highestStampOf(decodeRecord(bytes).entries)?.ms ?? null;
}

/** 128 bits that are equal wherever the same live data is; `null` where the record does not exist. */
export function liveHash(state: Uint8Array): Uint8Array | null {
  return hashOfLive(liveEntries(decodeRecord(state)));
}

export interface InspectedEntry {
  readonly field: string;
  readonly kind: string;
  readonly actor: string;
  readonly counter: number;
  readonly stamp: string;
  readonly live: boolean;
  readonly content: unknown;
}

export interface Inspected {
  readonly exists: boolean;
  readonly context: readonly {
    readonly actor: string;
    readonly seen: number;
    readonly beyond: readonly number[];
  }[];
  readonly entries: readonly InspectedEntry[];
}

/** Everything in a state, for people. */
export function inspect(state: Uint8Array): Inspected {
  const parts = decodeRecord(state);
  const live = new Set(liveEntries(parts));
  return {
    exists: live.size > 0,
    context: parts.context.actors.map((actor) => {
      const { max, beyond } = parts.context.of(actor);
      return { actor, seen: max, beyond };
    }),
    entries: parts.entries.map((entry) => inspectEntry(entry, live.has(entry))),
  };
}

function inspectEntry(entry: Entry, isLive: boolean): InspectedEntry {
  const kind = Object.entries(kinds).find(([, number]) => number === entry.kind)?.[0] ?? `kind ${entry.kind}`;
  const { actor, counter } = entry.dot;
  return {
    field: entry.field,
    kind,
    actor,
    counter,
    stamp: stampText(entry.stamp),
    live: isLive,
    content: contentOf(entry),
  };
}

function contentOf({ kind, payload }: Entry): unknown {
  if (kind === kinds.register) return decodeJson(payload);
  if (kind === kinds.counter) return decodeSlot(payload);
  return payload.length === 0 ? null : `${payload.length} bytes`;
}
