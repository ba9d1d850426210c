/** A state laid open for people: its context, and every entry with its dot, its stamp and whether it is live. */
import type { JsonValue } from '../codec/json.ts';
import { decodeJson } from '../codec/json.ts';
import { lastOf } from '../causal/seen.ts';
import type { CounterSlot } from './counter-slot.ts';
import { readSlot } from './counter-slot.ts';
import type { Dot, Entry } from './decoded.ts';
import { decode } from './decoded.ts';
import { lifeOf } from './life.ts';
import { counterTag, kindOf, registerTag } from './tags.ts';

export interface InspectedEntry {
  readonly path: string;
  /** `register`, `mark`, `counter`, `delete`, or `unknown-` and the tag. */
  readonly kind: string;
  readonly dot: Dot;
  /** Milliseconds since 1970, and the logical count within them. */
  readonly at: number | null;
  readonly logical: number | null;
  readonly live: boolean;
  /** A register's JSON, a counter's slot, else null. */
  readonly value: JsonValue | CounterSlot;
}

export interface Inspection {
  readonly bytes: number;
  readonly exists: boolean;
  readonly context: readonly {
    readonly actor: string;
    /** All counters up to here have been seen. */
    readonly max: number;
    readonly beyond: readonly number[];
    readonly last: number;
  }[];
  readonly entries: readonly InspectedEntry[];
}

export function inspect(state: Uint8Array): Inspection {
  const { context, entries } = decode(state);
  const { exists, live } = lifeOf(entries);
  const alive = new Set(live);
  return {
    bytes: state.length,
    exists,
    context: [...context].map(([actor, seen]) => ({
      actor,
      max: seen.max,
      beyond: seen.beyond,
      last: lastOf(seen),
    })),
    entries: entries.map((entry) => ({
      path: entry.path,
      kind: kindOf(entry.tag),
      dot: entry.dot,
      at: entry.stamp?.ms ?? null,
      logical: entry.stamp?.logical ?? null,
      live: alive.has(entry),
      value: valueOf(entry),
    })),
  };
}

function valueOf(entry: Entry): JsonValue | CounterSlot {
  if (entry.tag === registerTag) return decodeJson(entry.payload);
  return entry.tag === counterTag ? readSlot(entry.payload) : null;
}
