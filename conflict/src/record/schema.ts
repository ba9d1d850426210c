/**
 * A collection's declaration with what it is needed for: editing and reading. Both are pure functions over bytes.
 */
import { decodeJson } from '../codec/json.ts';
import type { JsonValue } from '../codec/json.ts';
import { ConflictError } from '../errors.ts';
import { slotValue } from '../types/counter.ts';
import { checkFields } from '../types/declaration.ts';
import type { FieldDeclaration, Fields } from '../types/declaration.ts';
import { RecordDraft } from './draft.ts';
import type { EditContext } from './draft.ts';
import { RecordEditor } from './editor.ts';
import type { Editor } from './editor.ts';
import { decodeRecord, encodeRecord } from './format.ts';
import { hashOfLive, latest, liveEntries } from './live.ts';
import { compareWrites, highestStampOf, kinds } from './record.ts';
import type { Entry } from './record.ts';

export interface SchemaOptions {
  /** Default `add-wins`. */
  readonly deletes?: 'add-wins' | 'last-writer-wins';
}

export interface EditResult {
  readonly state: Uint8Array;
  /** Empty where nothing changed; `state` is then the one that was given. */
  readonly delta: Uint8Array;
  readonly changed: boolean;
}

export interface Sibling {
  readonly value: JsonValue;
  /** Milliseconds since 1970 of its stamp. */
  readonly atMs: number;
  readonly actor: string;
  /** It is the value that the field shows. */
  readonly shown: boolean;
}

export interface RecordReading {
  /** Registers that are set; every counter. */
  readonly fields: ReadonlyMap<string, JsonValue>;
  /** Fields with several live values, the shown one first. */
  readonly siblings: ReadonlyMap<string, readonly Sibling[]>;
  /** Milliseconds since 1970 of the highest stamp. */
  readonly updatedAtMs: number;
  /** Equal wherever the same record is shown: 32 hexadecimal digits. */
  readonly version: string;
}

const maxDeltaBytes = 256 * 1024;
const maxStateBytes = 1024 * 1024;

export class Schema {
  readonly fields: ReadonlyMap<string, FieldDeclaration>;
  readonly deletes: 'add-wins' | 'last-writer-wins';

  constructor(fields: Fields, options: SchemaOptions = {}) {
    this.fields = checkFields(fields);
    this.deletes = options.deletes ?? 'add-wins';
  }

  /** Creates the record where it does not exist. Throws `ConflictError`; then nothing has happened. */
  edit(before: Uint8Array, context: EditContext, change: (editor: Editor) => void): EditResult {
    const draft = new RecordDraft(decodeRecord(before), context);
    const { fields, deletes } = this;
    const editor = new RecordEditor(draft, { fields, deletes, maxValueBytes: maxDeltaBytes });
    change(editor);
    editor.finish();
    if (!draft.isChanged) return { state: before, delta: new Uint8Array(0), changed: false };
    const delta = encodeRecord(draft.delta);
    const state = encodeRecord(draft.parts);
    requireSize('the change', delta, maxDeltaBytes);
    requireSize('the record', state, maxStateBytes);
    return { state, delta, changed: true };
  }

  /** `null` where the record does not exist. Data of fields that are not declared is kept and not shown. */
  read(state: Uint8Array): RecordReading | null {
    const live = liveEntries(decodeRecord(state));
    const hash = hashOfLive(live);
    if (hash === null) return null;
    const fields = new Map<string, JsonValue>();
    const siblings = new Map<string, readonly Sibling[]>();
    for (const [field, { type }] of this.fields) {
      const entries = live.filter((entry) => entry.field === field && entry.kind === kinds[type]);
      if (type === 'counter') fields.set(field, sum(entries));
      else readRegister(field, entries, { fields, siblings });
    }
    return { fields, siblings, updatedAtMs: highestStampOf(live)?.ms ?? 0, version: hexOf(hash) };
  }
}

export function schema(fields: Fields, options: SchemaOptions = {}): Schema {
  return new Schema(fields, options);
}

function sum(slots: readonly Entry[]): number {
  return slots.reduce((total, entry) => total + slotValue(entry.payload), 0);
}

function readRegister(
  field: string,
  entries: readonly Entry[],
  into: { fields: Map<string, JsonValue>; siblings: Map<string, readonly Sibling[]> },
): void {
  const winner = latest(entries);
  if (winner === null) return;
  into.fields.set(field, decodeJson(winner.payload));
  if (entries.length < 2) return;
  const ordered = entries.toSorted((a, b) => compareWrites(b, a));
  into.siblings.set(
    field,
    ordered.map((entry) => ({
      value: decodeJson(entry.payload),
      atMs: entry.stamp.ms,
      actor: entry.dot.actor,
      shown: entry === winner,
    })),
  );
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function requireSize(what: string, bytes: Uint8Array, limit: number): void {
  if (bytes.length <= limit) return;
  throw new ConflictError('too-large', { rule: `bytes of ${what}`, limit, value: bytes.length });
}
