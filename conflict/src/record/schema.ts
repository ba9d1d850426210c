/**
 * A schema turns operations on named fields into deltas, and states into plain JSON. It keeps no state of its own:
 * every call takes bytes and gives bytes or values. Edits enforce the limits and never merge anything but their own
 * delta; merging needs no schema and is a function of its own. Field types never change once records were written;
 * everything else in a declaration may.
 */
import { checkArgument, isObject, readFrom } from '../arguments.ts';
import { countersOf } from '../causal/vector-counters.ts';
import type { VersionVector } from '../causal/version-vector.ts';
import { checkedMs } from '../clock/stamp.ts';
import { deepestValue, longestActorBytes } from '../codec/format.ts';
import { check, checkDeclared, checkSize } from '../refusal.ts';
import { actorOf } from '../types/bounded-counter.ts';
import { checkFields } from '../types/check-fields.ts';
import type { RegisterPath } from '../types/field-path.ts';
import { checkedOptions, type Fields, type Sibling } from '../types/field.ts';
import { showMembers } from '../types/field-types.ts';
import type { RecordValue } from '../types/record-value.ts';
import type { TextEngine } from '../types/text.ts';
import { decode, encode } from './decoded-record.ts';
import { Draft, type DraftRules } from './draft.ts';
import { runEdit } from './editor.ts';
import { highestStamp } from './entry.ts';
import { liveEntries } from './liveness.ts';
import { merge } from './merge.ts';
import type { Editor } from './operations.ts';
import { treeOf } from './place.ts';

/** What an edit may write. One that only takes away (deletes, clears, removals) is never refused for its size. */
export interface Limits {
  /** Bytes of one edit's delta; 256 KiB by default. */
  readonly deltaBytes: number;
  /** Bytes of a state after an edit that makes it longer; 1 MiB by default. */
  readonly stateBytes: number;
  /** Levels of arrays and objects in a register's value; 32 by default. */
  readonly depth: number;
}

/** How a collection behaves; everything has a default. */
export interface SchemaOptions {
  /** What a delete does to writes that it has not seen: they live on (`add-wins`, default), or the later of the two wins. */
  readonly deletes?: 'add-wins' | 'last-writer-wins';
  /** Limits that differ from the defaults; positive integers. */
  readonly limits?: Partial<Limits>;
  /** Needed once a text is read or edited. */
  readonly text?: TextEngine;
}

/** Who edits, and when. */
export interface EditContext {
  /** Up to 64 bytes of UTF-8; no two writers may ever share one. */
  readonly actor: string;
  /** Highest own counter among the records that were collected; 0 (default) where none ever was. */
  readonly floor?: number;
  /**
   * Milliseconds since 1970 of the highest stamp (`highestStamp`) among the records that were collected, 0 (default)
   * where none ever was. An actor's first write above its floor is stamped later, so a delete that others still hold
   * does not hide what is created again, whatever the clocks say.
   */
  readonly floorMs?: number;
  /** Milliseconds since 1970. */
  readonly now: number;
  /**
   * What everybody has seen of this record, with nothing older under way, as `compact` needs it; for deletes by those who
   * collect. Where the record has seen exactly that, a delete also takes spendings whose rights others have destroyed.
   */
  readonly horizon?: VersionVector;
}

/** What an edit has made. */
export interface Edited {
  /** The record after the edit, to be stored in place of the one before. */
  readonly state: Uint8Array;
  /**
   * What to send to the other replicas; empty where nothing changed, and then `state` is the one given. Of a new record it
   * may be the very array that `state` is, so write into neither.
   */
  readonly delta: Uint8Array;
  /** Whether anything was written. */
  readonly changed: boolean;
  /** Whether the record existed before. */
  readonly existed: boolean;
}

/** A record as it is shown; `Name` are the paths of registers, which the editor takes. */
export interface ReadResult<Value = RecordValue<Fields>, Name extends string = string> {
  /** Whether the record was written and not deleted. */
  readonly exists: boolean;
  /** `null` where the record does not exist. */
  readonly value: Value | null;
  /** Paths of registers that hide concurrent siblings. */
  readonly conflicts: readonly Name[];
  /** All siblings of these registers, by path, the latest first. */
  readonly siblings: { readonly [path: string]: readonly Sibling[] };
  /** Those of the conflicts whose policy asks to show the siblings beside the value. */
  readonly exposed: readonly Name[];
  /** Milliseconds of the highest live stamp; `null` where nothing that is shown has one. */
  readonly updatedAt: number | null;
}

/** All else follows from `F`; these are parameters of their own so that any schema is a `Schema`. */
export interface Schema<
  F extends Fields = Fields,
  Value = RecordValue<F>,
  Given = Editor<F>,
  Name extends string = RegisterPath<F>,
> {
  /** The declarations, frozen. */
  readonly fields: F;
  /** What a delete does to writes that it has not seen. */
  readonly deletes: 'add-wins' | 'last-writer-wins';
  /** The limits in force. */
  readonly limits: Limits;
  /**
   * Runs the operations that `change` calls; a record that does not exist is created, also if there are none.
   * `change` has to be done when it returns: one that is asynchronous is refused.
   * Throws what the operations throw, also where `change` has caught it, `too-large` where the delta or the state exceeds
   * its limit, `invalid-argument` for an unfit actor, floor or time and for a function that returns a promise, and
   * `malformed` or `newer-format`; then nothing happened.
   */
  edit(before: Uint8Array, context: EditContext, change: (editor: Given) => void): Edited;
  /**
   * The record as plain JSON. Throws `malformed`, `newer-format`, and `text-engine-missing` where a text was written
   * to.
   */
  read(state: Uint8Array): ReadResult<Value, Name>;
}

const defaultLimits: Limits = { deltaBytes: 256 * 1024, stateBytes: 1024 * 1024, depth: 32 };

/** Declares a collection of records; the declarations are frozen. Throws `invalid-schema`. */
export function schema<const F extends Fields>(fields: F, options: SchemaOptions = {}): Schema<F> {
  checkFields(fields);
  const { deletes = 'add-wins', limits: given = {}, text } = checkedOptions(options);
  checkDeclared(deletes === 'add-wins' || deletes === 'last-writer-wins', 'deletes', { value: deletes });
  const limits = checkedLimits(given);
  const isEngine = () => typeof Object(text).splice === 'function';
  checkDeclared(text === undefined || readFrom(text, 'text', isEngine), 'text', { value: text });
  const record = { type: 'map', fields } as const;
  const rules: DraftRules = { limits, lastWriterWins: deletes === 'last-writer-wins', text };
  return {
    fields,
    deletes,
    limits,
    edit(before, context, change) {
      checkArgument(typeof change === 'function', 'function', change);
      const draft = new Draft(decode(before), checkedContext(context), rules);
      const existed = draft.mark === 'kept';
      runEdit(draft, record, change);
      const written = draft.delta();
      if (written === null) return { state: before, delta: new Uint8Array(0), changed: false, existed };
      const delta = encode(written);
      // Joining a delta into nothing gives the bytes of the delta.
      const state = draft.isWhole || before.length === 0 ? delta : merge(before, delta).state;
      // What only takes away is as large as what it finds, and always possible.
      if (draft.adds) {
        checkSize('delta-bytes', delta.length, limits.deltaBytes);
        if (state.length > before.length) checkSize('state-bytes', state.length, limits.stateBytes);
      }
      return { state, delta, changed: true, existed };
    },
    read(state) {
      const { entries } = decode(state);
      const live = liveEntries(entries);
      const view = { siblings: {}, exposed: [], text };
      const exists = live.length > 0;
      const value = exists ? showMembers({ place: treeOf(entries), field: record }, view).value : null;
      const { siblings, exposed } = view;
      const updatedAt = highestStamp(live)?.ms ?? null;
      const result = { exists, value, conflicts: Object.keys(siblings), siblings, exposed, updatedAt };
      // The value was built along the very declarations that the types are computed from.
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion
      return result as object as ReadResult<RecordValue<F>, RegisterPath<F>>;
    },
  };
}

function checkedLimits(given: Partial<Limits>): Limits {
  const limits = { ...defaultLimits, ...checkedOptions(given, 'limits') };
  for (const [rule, value] of Object.entries(limits)) {
    checkDeclared(Object.hasOwn(defaultLimits, rule) && Number.isSafeInteger(value) && value >= 1, rule, {
      value,
    });
  }
  const { depth } = limits;
  check(depth <= deepestValue, 'invalid-schema', { rule: 'depth', limit: deepestValue, value: depth });
  return limits;
}

function checkedContext(context: EditContext) {
  checkArgument(isObject(context), 'context', context);
  return readFrom(context, 'context', () => {
    const { actor: name, floor = 0, floorMs = 0, now, horizon } = context;
    const actor = actorOf(name);
    check(actor !== null, 'invalid-argument', { rule: 'actor', limit: longestActorBytes, value: name });
    checkArgument(Number.isSafeInteger(floor) && floor >= 0, 'floor', floor);
    return {
      actor,
      floor,
      floorMs: checkedMs(floorMs, 'floorMs'),
      nowMs: checkedMs(now),
      horizon: horizon === undefined ? undefined : countersOf(horizon, 'horizon'),
    };
  });
}
