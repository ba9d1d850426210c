/**
 * Texts whose content is not compared with the model any more. Who writes into a text of which earlier parts have not
 * arrived cannot know where its words will stand, nor what a clear has seen; from then on the content of this text is
 * only required to be the same everywhere. What was typed and erased in a record that somebody has dropped is no such
 * part: nothing of it is left.
 */
import type { Coverage } from './coverage.ts';
import { type Fact, samePath } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import type { Names, Operation } from './operation.ts';

export class LooseTexts {
  readonly #paths: Names[] = [];
  readonly #over = new Set<Fact>();

  /** Whether the content of a text may be compared with what is known. */
  isComparable(known: Knowledge, path: Names): boolean {
    return !this.#isLoose(path) && this.#isWhole(known, path);
  }

  /** Whether that holds for every text. */
  areAllComparable(known: Knowledge): boolean {
    return [...known.facts].every((fact) => fact.kind !== 'typed' || this.isComparable(known, fact.path));
  }

  /** Takes note of an edit of what is known. */
  watch(known: Knowledge, operations: readonly Operation[], coverage: Coverage): void {
    if (!operations.some(({ op }) => ['splice', 'put', 'clear', 'delete'].includes(op))) return;
    for (const fact of known.facts) {
      if (fact.kind !== 'typed' || this.#isLoose(fact.path) || this.#isWhole(known, fact.path)) continue;
      this.#paths.push(fact.path);
      coverage.note('text written before its past arrived');
    }
  }

  /** Somebody drops a record that holds nothing any more. */
  end(known: Knowledge): void {
    for (const fact of known.facts) if (fact.kind === 'typed') this.#over.add(fact);
  }

  /** A new life of the record has new texts. */
  forget(): void {
    this.#paths.length = 0;
  }

  /** Whether all that the typists of a text knew of it is known too. */
  #isWhole(known: Knowledge, path: Names): boolean {
    const isKnown = (fact: Fact) => known.facts.has(fact) || this.#over.has(fact);
    return known.typedAt(path).every(({ after }) => after.every(isKnown));
  }

  #isLoose(path: Names): boolean {
    return this.#paths.some((each) => samePath(each, path));
  }
}
