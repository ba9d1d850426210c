/**
 * Whether what the library reads of a state is what the model shows: existence, every value, every conflict with all
 * of its siblings, the time of the last change. Says the first difference in words, or nothing. Texts are compared
 * character by character, and for the order that their typists saw.
 */
import type { ReadResult } from '../record/schema.ts';
import type { Fields } from '../types/field.ts';
import { sameValue, type Typed } from './fact.ts';
import type { Knowledge } from './knowledge.ts';
import { Characters, fieldAt, siblingsAt, updatedIn, viewOf } from './model-view.ts';
import type { Names } from './operation.ts';

export interface ComparisonOptions {
  readonly fields: Fields;
  /** Whether the content of a text may be compared. */
  readonly isTextKnown: (path: Names) => boolean;
}

/** `null` where they agree. */
export function difference(
  known: Knowledge,
  read: ReadResult<unknown>,
  options: ComparisonOptions,
): string | null {
  const view = viewOf(known, options.fields);
  if (read.exists !== (view !== null)) {
    return `the library says that the record ${read.exists ? 'exists' : 'does not exist'}`;
  }
  if (view === null) return null;
  const comparison = new Comparison(known, options);
  return (
    comparison.ofValues(view, read.value, []) ??
    comparison.ofConflicts(read) ??
    (read.updatedAt === updatedIn(known)
      ? null
      : `updated at ${read.updatedAt}, in the model at ${updatedIn(known)}`)
  );
}

class Comparison {
  readonly #known: Knowledge;
  readonly #options: ComparisonOptions;

  constructor(known: Knowledge, options: ComparisonOptions) {
    this.#known = known;
    this.#options = options;
  }

  ofValues(model: unknown, shown: unknown, path: Names): string | null {
    if (model instanceof Characters) return this.#ofText(model, String(shown));
    if (model instanceof Set) return ofElements(model, shown, path);
    if (model instanceof Map) return this.#ofMembers(model, shown, path);
    return sameValue(model, shown)
      ? null
      : `${label(path)} shows ${JSON.stringify(shown)}, in the model ${JSON.stringify(model)}`;
  }

  #ofMembers(model: ReadonlyMap<string, unknown>, shown: unknown, path: Names): string | null {
    const members = new Map<string, unknown>(Object.entries(Object(shown)));
    for (const name of new Set([...model.keys(), ...members.keys()])) {
      const child = [...path, name];
      if (!model.has(name)) return `${label(child)} is shown, in the model it is not there`;
      if (!members.has(name)) return `${label(child)} is not shown, in the model it is there`;
      const found = this.ofValues(model.get(name), members.get(name), child);
      if (found !== null) return found;
    }
    return null;
  }

  #ofText({ all, path }: Characters, shown: string): string | null {
    if (!this.#options.isTextKnown(path)) return null;
    const letters = Array.from(shown);
    const isSame = letters.length === all.size && letters.every((letter) => all.has(letter));
    if (!isSame) return `${label(path)} shows ${shown}, in the model ${[...all].join('')} in some order`;
    const torn = this.#known.typedAt(path).find((typed) => !isInOrder(typed, letters));
    return torn === undefined
      ? null
      : `${label(path)} shows ${shown}, where ${torn.inserted.join('')} was typed between ${torn.between.join(' and ')}`;
  }

  ofConflicts(read: ReadResult<unknown>): string | null {
    const paths = this.#conflicts();
    if (paths.length !== read.conflicts.length) {
      return `conflicts are ${read.conflicts.join(', ')}, in the model ${paths.map(label).join(', ')}`;
    }
    for (const path of paths) {
      const theirs = read.siblings[label(path)];
      const ours = siblingsAt(this.#known, path);
      const isSame =
        theirs?.length === ours.length &&
        ours.every(({ value, at, logical, actor }, index) => {
          const other = theirs[index];
          return (
            other?.at === at &&
            other.logical === logical &&
            other.actor === actor &&
            sameValue(other.value, value)
          );
        });
      if (!isSame) {
        return `siblings of ${label(path)} are ${JSON.stringify(theirs)}, in the model ${JSON.stringify(ours)}`;
      }
    }
    return null;
  }

  #conflicts(): readonly Names[] {
    const { fields } = this.#options;
    const registers = this.#known.writes().filter((write) => write.of === 'register');
    const byLabel = new Map(registers.map((write) => [label(write.path), write.path]));
    return [...byLabel.values()].filter(
      (path) => fieldAt(fields, path)?.type === 'register' && siblingsAt(this.#known, path).length > 1,
    );
  }
}

/** Every element once, booleans first, then numbers, then strings, each in ascending order. */
function ofElements(model: ReadonlySet<unknown>, shown: unknown, path: Names): string | null {
  const elements: readonly unknown[] = Array.isArray(shown) ? shown : [];
  const isSame = elements.length === model.size && elements.every((element) => model.has(element));
  if (!isSame) {
    return `${label(path)} holds ${JSON.stringify(elements)}, in the model ${JSON.stringify([...model])}`;
  }
  const ranks = ['boolean', 'number', 'string'];
  const isSorted = elements.every((element, index) => {
    if (index === 0) return true;
    const last: unknown = elements[index - 1];
    const byType = ranks.indexOf(typeof last) - ranks.indexOf(typeof element);
    return byType < 0 || (byType === 0 && isLess(last, element));
  });
  return isSorted ? null : `${label(path)} holds ${JSON.stringify(elements)} out of order`;
}

function isLess(a: unknown, b: unknown): boolean {
  if (typeof a === 'string' && typeof b === 'string') return a < b;
  return Number(a) < Number(b);
}

/** What was typed stands in its order, and between its neighbours, as far as these are still shown. */
function isInOrder({ inserted, between: [left, right] }: Typed, letters: readonly string[]): boolean {
  const places = [left, ...inserted, right]
    .map((letter) => letters.indexOf(letter))
    .filter((at) => at !== -1);
  return places.every((at, index) => index === 0 || at > (places[index - 1] ?? -1));
}

/** A path as the library writes it. */
export function label(path: Names): string {
  return path.map((name) => name.replaceAll('\\', '\\\\').replaceAll('.', '\\.')).join('.');
}

/** The text that a record shows at a path; empty where it shows none. */
export function textAt(value: unknown, path: Names): string {
  let found: unknown = value;
  for (const name of path) {
    const members = typeof found === 'object' && found !== null ? new Map(Object.entries(found)) : new Map();
    found = members.get(name);
  }
  return typeof found === 'string' ? found : '';
}
