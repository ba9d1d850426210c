/**
 * What an edit may say of one record. Every operation checks the field's declaration first; an operation that the
 * type does not have is refused with a typed error and changes nothing.
 */
import { encodeJson } from '../codec/json.ts';
import { ConflictError, describe } from '../errors.ts';
import type { FieldDeclaration } from '../types/declaration.ts';
import { increased, isSlotLive, slotValue, takenBackWhole } from '../types/counter.ts';
import type { RecordDraft } from './draft.ts';
import { liveEntries } from './live.ts';
import { kinds } from './record.ts';

export interface Editor {
  /** Writes a register, also with an equal value. */
  set(field: string, value: unknown): void;
  /** Removes a register's values, resets a counter. */
  clear(field: string): void;
  /** Adds a safe integer, which may be negative, to a counter. */
  increment(field: string, amount: number): void;
  /** Deletes the record; what is said before is deleted with it. */
  delete(): void;
}

export interface EditRules {
  readonly fields: ReadonlyMap<string, FieldDeclaration>;
  readonly deletes: 'add-wins' | 'last-writer-wins';
  readonly maxValueBytes: number;
}

export class RecordEditor implements Editor {
  readonly #draft: RecordDraft;
  readonly #rules: EditRules;
  readonly #wasLive: boolean;
  #isDeleted = false;
  #operations = 0;

  constructor(draft: RecordDraft, rules: EditRules) {
    this.#draft = draft;
    this.#rules = rules;
    this.#wasLive = liveEntries(draft.parts).length > 0;
  }

  set(field: string, value: unknown): void {
    this.#require(field, 'register', 'set');
    this.#draft.write(field, kinds.register, encodeJson(value, field, this.#rules.maxValueBytes));
  }

  clear(field: string): void {
    const { type } = this.#declared(field);
    if (type === 'register') this.#draft.remove(this.#draft.entries(field, kinds.register));
    else this.#takeBack(field);
    this.#did();
  }

  increment(field: string, amount: number): void {
    this.#require(field, 'counter', 'increment');
    if (!Number.isSafeInteger(amount)) {
      throw new ConflictError('invalid-value', { field, rule: 'a safe integer', value: describe(amount) });
    }
    const held = this.#draft
      .entries(field, kinds.counter)
      .reduce((sum, entry) => sum + slotValue(entry.payload), 0);
    const own = this.#draft.ownSlot(field);
    this.#draft.writeSlot(field, own, increased(own?.payload ?? null, amount, { field, held }));
  }

  delete(): void {
    this.#isDeleted = true;
    if (liveEntries(this.#draft.parts).length === 0) return;
    const { entries } = this.#draft.parts;
    this.#draft.remove(
      entries.filter((entry) => entry.kind !== kinds.counter && entry.kind !== kinds.removal),
    );
    for (const field of new Set(entries.map((entry) => entry.field))) this.#takeBack(field);
    if (this.#rules.deletes === 'last-writer-wins') this.#draft.write('', kinds.removal);
  }

  /** Writes the mark where the record has to have one. */
  finish(): void {
    if (this.#isDeleted) return;
    const isEveryEditMarked = this.#rules.deletes === 'last-writer-wins' && this.#operations > 0;
    const exists = liveEntries(this.#draft.parts).length > 0;
    if (isEveryEditMarked || !this.#wasLive || !exists) this.#draft.write('', kinds.mark);
  }

  #takeBack(field: string): void {
    for (const slot of this.#draft.entries(field, kinds.counter)) {
      if (isSlotLive(slot.payload))
        this.#draft.changeSlot({ ...slot, payload: takenBackWhole(slot.payload) });
    }
  }

  #require(field: string, type: FieldDeclaration['type'], operation: string): void {
    const declared = this.#declared(field).type;
    if (declared !== type) {
      const rule = `${operation} takes a ${type}`;
      throw new ConflictError('wrong-operation', { field, rule, limit: type, value: declared });
    }
    this.#did();
  }

  #declared(field: string): FieldDeclaration {
    const declared = this.#rules.fields.get(field);
    if (declared !== undefined) return declared;
    throw new ConflictError('unknown-field', { field, rule: 'a declared field', value: field });
  }

  #did(): void {
    this.#operations++;
  }
}
