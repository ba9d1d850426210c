/**
 * Decides dead letters of one transaction, one after the other, for every adapter alike: each is merged into what those
 * before it have left of its record, a record is written once, and what cannot be tried is told apart. Pure.
 */
import { assert } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';
import type { DecideRetry, RetryDecision, RetryOutcome } from '../ports/dead-letter-store.ts';
import type { RecordConflict } from '../ports/record-store.ts';
import { nameFault } from '../record-name.ts';

export interface TriedLetter extends RecordId {
  readonly delta: Uint8Array;
}

export type Kept = Extract<RetryDecision, { readonly kind: 'keep' }>;

export interface Trial<L> {
  /** In the order of the letters. */
  readonly outcomes: readonly RetryOutcome[];
  /** Of the records of the trial. */
  readonly writes: readonly { readonly index: number; readonly state: Uint8Array }[];
  readonly conflicts: readonly RecordConflict[];
  readonly applied: readonly L[];
  readonly kept: readonly { readonly letter: L; readonly why: Kept }[];
}

export class LetterTrial<L extends TriedLetter> {
  /** The records of those that can be tried, each once. */
  readonly ids: readonly RecordId[];
  readonly #letters: readonly (L | null)[];
  readonly #indices = new Map<string, number>();

  /** `null` in place of one that is not open. */
  constructor(letters: readonly (L | null)[]) {
    this.#letters = letters;
    const ids: RecordId[] = [];
    for (const letter of letters) {
      if (letter === null || nameFault(letter) !== null || this.#indices.has(nameOf(letter))) continue;
      this.#indices.set(nameOf(letter), ids.length);
      ids.push({ collection: letter.collection, key: letter.key });
    }
    this.ids = ids;
  }

  /** `before`: the states of the records. */
  run(before: readonly Uint8Array[], decide: DecideRetry): Trial<L> {
    const states = [...before];
    const fields = this.ids.map(() => 0);
    const applied: L[] = [];
    const kept: { letter: L; why: Kept }[] = [];
    const outcomes = this.#letters.map((letter): RetryOutcome => {
      if (letter === null) return 'gone';
      const index = this.#indices.get(nameOf(letter));
      if (index === undefined) return 'unnameable';
      const state = states[index];
      assert(state !== undefined, 'the store locked the record');
      const decision = decide(state, letter.delta);
      if (decision.kind === 'leave') return 'left';
      if (decision.kind === 'keep') {
        kept.push({ letter, why: decision });
        return 'kept';
      }
      states[index] = decision.state;
      fields[index] = (fields[index] ?? 0) + decision.conflicts;
      applied.push(letter);
      return 'applied';
    });
    const conflicts = fields.flatMap((count, index) => (count > 0 ? [{ index, fields: count }] : []));
    return { outcomes, writes: changed(before, states), conflicts, applied, kept };
  }
}

function changed(before: readonly Uint8Array[], after: readonly Uint8Array[]): Trial<never>['writes'] {
  return after.flatMap((state, index) => (state === before[index] ? [] : [{ index, state }]));
}

/** No name has U+0000 in it. */
function nameOf({ collection, key }: RecordId): string {
  return `${collection}\0${key}`;
}
