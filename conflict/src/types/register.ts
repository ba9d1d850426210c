/**
 * A register holds one value of JSON. A write supersedes the siblings that it has seen; writes that have not seen
 * each other stay side by side until a later one has seen them. Which of them is shown is a question of the view: the
 * latest stamp, ties by dot, or a resolver of the declaration.
 */
import { ByteReader } from '../codec/byte-reader.ts';
import { withWriter } from '../codec/byte-writer.ts';
import { deepestValue, tagRegister } from '../codec/format.ts';
import { binaryOfBytes, textOf } from '../codec/utf8.ts';
import { type JsonValue, readValue, type ValueScope, writeValue } from '../codec/value.ts';
import { malformed } from '../errors.ts';
import type { Draft } from '../record/draft.ts';
import { compareByStamp, type Entry, stampAt, stampLength, stampText } from '../record/entry.ts';
import type { RegisterField, Sibling } from './field.ts';
import { entriesAt, type Place, visibleAt } from './place.ts';

export interface RegisterView {
  readonly value: JsonValue;
  /** The latest first; one where there is no conflict. */
  readonly siblings: readonly Sibling[];
}

/** `null` where nothing was written, or all of it was cleared or deleted. */
export function readRegister(place: Place, field: RegisterField): RegisterView | null {
  const entries = [...visibleAt(place, tagRegister)];
  if (entries.length > 1) entries.sort((a, b) => compareByStamp(b, a));
  return viewOf(entries, field, place.label);
}

/** What a register shows of entries that are visible, the latest first. */
export function viewOf(entries: readonly Entry[], field: RegisterField, label: string): RegisterView | null {
  const siblings = siblingsOf(entries);
  const [first] = siblings;
  if (first === undefined) return null;
  if (siblings.length === 1 || typeof field.resolve !== 'function') return { value: first.value, siblings };
  // A resolver is anybody's code and gets siblings of its own, so that what it does to them shows nowhere.
  return resolved(siblings, field.resolve(siblingsOf(entries)), label);
}

function siblingsOf(entries: readonly Entry[]): readonly Sibling[] {
  return entries.map((entry, index) => siblingOf(entry, index === 0));
}

function resolved(siblings: readonly Sibling[], value: JsonValue, field: string): RegisterView {
  const scope = { field, maxDepth: deepestValue, maxBytes: Infinity };
  const bytes = bytesOfValue(value, scope);
  const shown = binaryOfBytes(bytes, 0, bytes.length);
  const marked = siblings.map((each) => ({ ...each, shown: binaryOfValue(each.value, scope) === shown }));
  return { value: readValue(new ByteReader(bytes)), siblings: marked };
}

function bytesOfValue(value: unknown, scope: ValueScope): Uint8Array {
  return withWriter((writer) => {
    writeValue(writer, value, scope);
    return writer.finish();
  });
}

function binaryOfValue(value: unknown, scope: ValueScope): string {
  const bytes = bytesOfValue(value, scope);
  return binaryOfBytes(bytes, 0, bytes.length);
}

export function siblingOf(entry: Entry, shown: boolean): Sibling {
  const { payload, actor, counter } = entry;
  const reader = new ByteReader(payload, stampLength(payload, 0));
  const value = readValue(reader);
  if (reader.remaining > 0) throw malformed('register');
  const { ms, logical } = stampAt(payload, 0);
  return { value, at: ms, logical, actor: textOf(actor), counter, shown };
}

export interface ValueWrite {
  readonly value: unknown;
  readonly maxDepth: number;
  readonly maxBytes: number;
}

function scopeOf(place: Place, { maxDepth, maxBytes }: ValueWrite): ValueScope {
  return { field: place.label, maxDepth, maxBytes };
}

/** Writes a value, also an equal one. */
export function setRegister(draft: Draft, place: Place, write: ValueWrite): void {
  store(draft, place, payloadOf(draft, place, write));
}

function payloadOf(draft: Draft, place: Place, write: ValueWrite): Uint8Array {
  return withWriter((writer) => {
    writer.binary(stampText(draft.stamp));
    writeValue(writer, write.value, scopeOf(place, write));
    return writer.finish();
  });
}

function store(draft: Draft, place: Place, payload: Uint8Array): void {
  draft.supersede(place.node, entriesAt(place, tagRegister));
  draft.write({ path: place.path, tag: tagRegister, sub: '' }, payload);
}

/** Writes a value where the register shows another one. */
export function putRegister(
  draft: Draft,
  place: Place,
  write: ValueWrite & { readonly field: RegisterField },
): void {
  const payload = payloadOf(draft, place, write);
  if (!isShown(payload, place, write.field)) store(draft, place, payload);
}

/** Whether the register shows the value of this payload; equal values have equal bytes. */
function isShown(payload: Uint8Array, place: Place, field: RegisterField): boolean {
  const visible = visibleAt(place, tagRegister);
  const [only] = visible;
  if (only === undefined) return false;
  if (visible.length === 1) return hasSameValue(only.payload, payload);
  const shown = readRegister(place, field);
  if (shown === null) return false;
  const bytes = bytesOfValue(shown.value, { field: place.label, maxDepth: deepestValue, maxBytes: Infinity });
  return areEqual({ bytes, start: 0 }, { bytes: payload, start: stampLength(payload, 0) });
}

function hasSameValue(a: Uint8Array, b: Uint8Array): boolean {
  return areEqual({ bytes: a, start: stampLength(a, 0) }, { bytes: b, start: stampLength(b, 0) });
}

interface Tail {
  readonly bytes: Uint8Array;
  readonly start: number;
}

function areEqual(a: Tail, b: Tail): boolean {
  const length = a.bytes.length - a.start;
  if (length !== b.bytes.length - b.start) return false;
  for (let index = 0; index < length; index++) {
    if (a.bytes[a.start + index] !== b.bytes[b.start + index]) return false;
  }
  return true;
}
