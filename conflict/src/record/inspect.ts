/**
 * A state explained: who has written what under which dot and stamp, what of it is shown, and why the rest is not.
 * The result is plain data that a console can print and a test can compare; the sentences are for people. No schema is
 * needed; one that is given says which registers have a resolver, and then it is the resolver's choice that is told. A
 * minimum of the declaration does not show here. A value that only newer code can read is told as `null`, and why.
 */
import { lastOf, seenOfRanges } from '../causal/seen.ts';
import { orderOf, type Stamp } from '../clock/stamp.ts';
import {
  formatMajor,
  tagCounter,
  tagDeletion,
  tagElement,
  tagMark,
  tagMoved,
  tagRegister,
  tagRights,
  tagText,
  tagTextClient,
} from '../codec/format.ts';
import { pathOf } from '../codec/path.ts';
import { textOf } from '../codec/utf8.ts';
import { ConflictError } from '../errors.ts';
import type { JsonValue } from '../codec/value.ts';
import { vectorOf } from '../codec/vector.ts';
import { shortened } from '../described.ts';
import type { Field, Fields } from '../types/field.ts';
import { elementOf } from '../types/set.ts';
import { type RegisterView, siblingOf, viewOf } from '../types/register.ts';
import { declaredMember } from '../types/resolve-field.ts';
import { checkSchema } from './diff.ts';
import { decode, type DecodedRecord } from './decoded-record.ts';
import { compareByStamp, type Entry, latestDeletion, namesOfPath, stampOf } from './entry.ts';
import { isHidden, isRemoval, liveEntries } from './liveness.ts';
import { Place } from './place.ts';
import type { Schema } from './schema.ts';

/** One thing that was written and not yet superseded. */
export interface InspectedEntry {
  /** Who wrote it: the actor of its dot. */
  readonly actor: string;
  /** The counter of its dot. */
  readonly counter: number;
  /** When it was written; `null` for what needs no order. */
  readonly stamp: Stamp | null;
  /** The value, the element, or the numbers of a slot; `null` where there is nothing to show. */
  readonly value: JsonValue;
  /** Whether it is part of what the record shows. */
  readonly shown: boolean;
  /** A sentence on why it is shown or not. */
  readonly why: string;
}

/** What stands at one field, or at one element of a set. */
export interface InspectedField {
  /** Path of the field, as `field.member`; empty for the record itself. */
  readonly path: string;
  /** Its type as stored, which needs no schema. */
  readonly type: string;
  /** At least one. */
  readonly entries: readonly InspectedEntry[];
}

/** What was seen of an actor. */
export interface InspectedActor {
  /** Its name. */
  readonly actor: string;
  /** All counters from 1 to this one were seen. */
  readonly max: number;
  /** What was seen above `max`: pairs of first and last counter. */
  readonly runs: readonly number[];
  /** The highest counter of all. */
  readonly last: number;
}

/** A state explained. */
export interface Inspection {
  /** Version of the byte format, as `1.0`. */
  readonly format: string;
  /** Length of the state. */
  readonly bytes: number;
  /** Whether the record exists. */
  readonly exists: boolean;
  /** A sentence on why it exists or not. */
  readonly why: string;
  /** What was seen, sorted by actor. */
  readonly context: readonly InspectedActor[];
  /** In the order of the bytes. */
  readonly fields: readonly InspectedField[];
}

/**
 * Explains a state or a delta. Without the schema, or for registers that it gives no resolver, the latest of concurrent
 * values is the one that is shown; else what the resolver chose, as in `Schema.read`. Throws `malformed` or
 * `newer-format`, `invalid-argument` for what is no schema, `invalid-value` for what a resolver must not return, and what
 * a resolver throws.
 */
export function inspect(state: Uint8Array, type?: Schema): Inspection {
  if (type !== undefined) checkSchema(type);
  const record = decode(state);
  const live = new Set(liveEntries(record.entries));
  const deletion = latestDeletion(record.entries);
  const around = { live, deletion, fields: type?.fields ?? {} };
  return {
    format: `${formatMajor}.${record.minor}`,
    bytes: state.length,
    exists: live.size > 0,
    why: whyExists(record.entries, live, deletion),
    context: contextRows(record),
    fields: groups(record.entries).map((group) => inspectGroup(group, around)),
  };
}

function contextRows({ context }: DecodedRecord): Inspection['context'] {
  const rows = [...context].map(([actor, ranges]) => ({
    actor: textOf(actor),
    ...seenOfRanges(ranges),
    last: lastOf(context, actor),
  }));
  return rows.toSorted((a, b) => (a.actor < b.actor ? -1 : 1));
}

function whyExists(entries: readonly Entry[], live: ReadonlySet<Entry>, deletion: Entry | null): string {
  const marked = [...live].some((entry) => entry.tag === tagMark);
  if (live.size > 0 && deletion !== null) return `it was written after the delete at ${timeOf(deletion)}`;
  if (live.size > 0) {
    return marked
      ? 'its mark is live'
      : 'it was deleted, but these fields were written without having seen that';
  }
  if (deletion !== null) return `nothing was written after the delete at ${timeOf(deletion)}`;
  return entries.length === 0
    ? 'nothing was ever written that was not deleted'
    : 'everything written was deleted';
}

/** Entries by field, or by element within a set. */
function groups(entries: readonly Entry[]): readonly (readonly Entry[])[] {
  const found = new Map<string, Entry[]>();
  for (const entry of entries) {
    const group = found.get(entry.key);
    if (group === undefined) found.set(entry.key, [entry]);
    else group.push(entry);
  }
  return [...found.values()];
}

const types = new Map([
  [tagRegister, 'register'],
  [tagElement, 'set'],
  [tagCounter, 'counter'],
  [tagRights, 'bounded-counter'],
  [tagMoved, 'moved rights'],
  [tagText, 'text'],
  [tagTextClient, 'text client'],
  [tagMark, 'mark'],
  [tagDeletion, 'delete'],
]);

interface Whole {
  readonly live: ReadonlySet<Entry>;
  readonly deletion: Entry | null;
  readonly fields: Fields;
}

function inspectGroup(group: readonly Entry[], around: Whole): InspectedField {
  const [first] = group;
  const names = namesOfPath(first?.path ?? '');
  const stamped = group.every((entry) => stampOf(entry) !== null);
  const sorted = stamped ? group.toSorted((a, b) => compareByStamp(b, a)) : group;
  const choice = first?.tag === tagRegister ? choiceOf(sorted, names, around) : null;
  return {
    path: pathOf(names),
    type: types.get(first?.tag ?? 0) ?? 'unknown',
    entries: sorted.map((entry) => inspectEntry(entry, { ...around, group: sorted, choice })),
  };
}

/** What the declared resolver made of siblings, the latest first; `null` where it was not asked. */
function choiceOf(group: readonly Entry[], names: readonly string[], around: Whole): RegisterView | null {
  const siblings = group.filter((entry) => around.live.has(entry));
  const field = declaredAt(around.fields, names);
  if (field?.type !== 'register' || typeof field.resolve !== 'function' || siblings.length < 2) return null;
  return viewOf(siblings, field, new Place(siblings[0]?.path));
}

function declaredAt(fields: Fields, names: readonly string[]): Field | undefined {
  let field: Field | undefined = { type: 'map', fields };
  for (const name of names) field = field?.type === 'map' ? declaredMember(field, name) : undefined;
  return field;
}

interface Surroundings extends Whole {
  readonly group: readonly Entry[];
  readonly choice: RegisterView | null;
}

function inspectEntry(entry: Entry, around: Surroundings): InspectedEntry {
  const { live, choice } = around;
  const winner = around.group.find((each) => live.has(each));
  const isChosen = choice === null ? entry === winner : isShownBy(choice, entry);
  const value = valueIfKnown(entry);
  const reason = why(entry, around, winner);
  return {
    actor: textOf(entry.actor),
    counter: entry.counter,
    stamp: stampOf(entry),
    value: value ?? null,
    shown: live.has(entry) && (entry.tag !== tagRegister || isChosen),
    why: value === undefined ? `${reason}; only a newer version can read the value` : reason,
  };
}

function isShownBy({ siblings }: RegisterView, { actor, counter }: Entry): boolean {
  const name = textOf(actor);
  return siblings.some((each) => each.shown && each.actor === name && each.counter === counter);
}

/** `undefined` where only newer code can read it. */
function valueIfKnown(entry: Entry): JsonValue | undefined {
  try {
    return valueOf(entry);
  } catch (reason) {
    if (reason instanceof ConflictError && reason.code === 'newer-format') return undefined;
    throw reason;
  }
}

function valueOf(entry: Entry): JsonValue {
  if (entry.tag === tagRegister) return siblingOf(entry, false).value;
  if (entry.tag === tagElement) return elementOf(entry.sub);
  if (entry.tag === tagText) return `${entry.payload.length} bytes`;
  const [first = 0, firstBefore = 0, second = 0, secondBefore = 0] = vectorOfSlot(entry);
  if (entry.tag === tagCounter) {
    return { added: first, addedBeforeReset: firstBefore, taken: second, takenBeforeReset: secondBefore };
  }
  if (entry.tag === tagRights) {
    return { granted: first, grantedBeforeReset: firstBefore, used: second, usedBeforeReset: secondBefore };
  }
  return entry.tag === tagMoved
    ? { to: textOf(entry.sub), moved: first, movedBeforeReset: firstBefore }
    : null;
}

function vectorOfSlot(entry: Entry): readonly number[] {
  const isSlot = entry.tag === tagCounter || entry.tag === tagRights || entry.tag === tagMoved;
  return isSlot ? vectorOf(entry.payload) : [];
}

function why(entry: Entry, around: Surroundings, winner: Entry | undefined): string {
  const { group, live, deletion, choice } = around;
  if (entry.tag === tagDeletion) return 'hides everything that was written before it';
  if (deletion !== null && isHidden(entry, deletion))
    return `the record was deleted later, at ${timeOf(deletion)}`;
  if (isRemoval(entry)) return 'removes the element, also from additions that have not seen it';
  if (!live.has(entry)) return notLive(entry, group);
  if (entry.tag !== tagRegister) return 'live';
  if (choice !== null) return whyChosen(entry, choice);
  if (winner === undefined || entry === winner) return whyShown(entry, group, live);
  return `concurrent with what ${textOf(winner.actor)} wrote at ${timeOf(winner)}, which ${comparison(winner, entry)}`;
}

function whyChosen(entry: Entry, choice: RegisterView): string {
  if (isShownBy(choice, entry)) return 'the resolver chose this value';
  const chosen = choice.siblings.find(({ shown }) => shown);
  if (chosen !== undefined) return `the resolver chose what ${chosen.actor} wrote at ${timeAt(chosen.at)}`;
  return `the resolver shows a value of its own: ${shortened(JSON.stringify(choice.value))}`;
}

function notLive(entry: Entry, group: readonly Entry[]): string {
  const again = group.some(({ actor, counter }) => actor === entry.actor && counter > entry.counter);
  if (again) return 'its writer has seen it go and has written again since';
  if (group.some(isRemoval)) return 'a removal that has not seen it wins';
  return entry.tag === tagTextClient
    ? 'numbers the insertions of this actor'
    : 'reset: all of it was seen by a clear';
}

function whyShown(entry: Entry, group: readonly Entry[], live: ReadonlySet<Entry>): string {
  const rival = group.find((each) => each !== entry && live.has(each));
  return rival === undefined ? 'the only value' : `it ${comparison(entry, rival)}`;
}

function comparison(winner: Entry, loser: Entry): string {
  const [a, b] = [stampOf(winner), stampOf(loser)];
  if (a === null || b === null || orderOf(a, b) === 0) return 'has the same stamp and the greater dot';
  return a.ms === b.ms ? 'has the later stamp within one millisecond' : `is later by ${a.ms - b.ms} ms`;
}

function timeOf(entry: Entry): string {
  const stamp = stampOf(entry);
  return stamp === null ? 'an unknown time' : timeAt(stamp.ms);
}

function timeAt(ms: number): string {
  return new Date(ms).toISOString();
}
