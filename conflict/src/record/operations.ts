/**
 * The operations of one edit, as the function that makes the edit sees them. Each names its field by a path, which the
 * compiler checks against the declarations, and is checked again before anything is written. An operation that throws
 * ends the edit: nothing of it happens, also where its error is caught on the way. The editor also keeps the record's
 * existence: an edit of an absent record creates it, and a record that is emptied field by field goes on existing.
 */
import type { RightsMove } from '../types/bounded-counter.ts';
import type { EightLevels, ElementInput, FieldPaths, PathAt, RecordInput } from '../types/field-path.ts';
import type { Field, Fields, Sibling } from '../types/field.ts';
import type { Splice } from '../types/text.ts';

/**
 * The operations of one edit, handed to the function that is given to `Schema.edit` and of no use after it: then they
 * throw `invalid-argument`. A path that is known only when the program runs is given as an array of names (`namesOf`).
 * All operations throw `unknown-field` for a field that is not declared, `wrong-operation` for one of another type,
 * and `invalid-value` for a name that cannot be stored. The other parameters follow from `F`; they are written out so
 * that any editor is an `Editor`, and so that the compiler's messages name the paths.
 */
export interface Editor<
  F extends Fields = Fields,
  Paths extends FieldPaths<Fields> = {
    readonly [Type in Field['type'] | 'any']:
      | (string & { [Name in keyof F & string]: PathAt<F[Name], Type, Name, EightLevels> }[keyof F & string])
      | readonly string[];
  },
  Element = ElementInput<F>,
  Value = RecordInput<F>,
> {
  /**
   * Writes a register, or a register within a map, also with an equal value. Throws `invalid-value` for what JSON cannot
   * hold, `too-deep` and `too-large`.
   */
  set(path: Paths['register'], value: unknown): void;

  /** Writes the value of a sibling again, so that it is shown. */
  restore(path: Paths['register'], sibling: Sibling): void;

  /** Forgets what is seen of a field of any type; a counter starts again. Throws `text-engine-missing`. */
  clear(path: Paths['any']): void;

  /**
   * Adds to a counter; the amount is an integer and may be negative. Throws `invalid-value` and `counter-out-of-range`.
   */
  increment(path: Paths['counter'], amount: number): void;

  /** Adds elements to a set, also ones that are there. Throws `invalid-value`. */
  add(path: Paths['set'], elements: readonly Element[]): void;

  /** Removes elements from a set, in one biased to removal also ones that are not there. Throws `invalid-value`. */
  remove(path: Paths['set'], elements: readonly Element[]): void;

  /**
   * Takes from a bounded counter what this actor has rights for; else throws `insufficient-rights`, whatever the counter
   * shows. The amount is a non-negative integer; else throws `invalid-value`.
   */
  spend(path: Paths['bounded-counter'], amount: number): void;

  /** Adds to a bounded counter; the rights belong to this actor. Throws `invalid-value` and `counter-out-of-range`. */
  refill(path: Paths['bounded-counter'], amount: number): void;

  /** Hands rights of this actor to another actor. Throws `insufficient-rights`, and `invalid-value` for itself. */
  moveRights(path: Paths['bounded-counter'], move: RightsMove): void;

  /**
   * Deletes and inserts in a text, at positions of the text before the edit. Throws `invalid-value`,
   * `text-engine-missing` and, where the stored text cannot be read, `malformed`.
   */
  splice(path: Paths['text'], splices: readonly Splice[]): void;

  /**
   * Makes the record exactly this value, writing only what differs. Counters keep theirs, named or not; one named with
   * another value throws `wrong-operation`. Throws what the operations of the other types throw.
   */
  put(value: Value): void;

  /**
   * Deletes the whole record as this edit has seen it; of one that does not exist, what its deletion has not seen and
   * only hides. Throws `text-engine-missing`.
   */
  delete(): void;
}
