/**
 * Text as the core sees it: entries that merge like any other, by their dots, and an engine that understands them,
 * which is handed in by who needs it (`@isthmus/conflict/text`), so that nobody loads it for nothing. A text shows all
 * of its chunks or none, because a later chunk may build on an earlier one. A cleared text leaves a remnant, which
 * shows nothing and lets a concurrent insertion find its place.
 */
import { tagText } from '../codec/format.ts';
import { check } from '../refusal.ts';
import type { Draft } from '../record/draft.ts';
import { isWritten } from '../record/liveness.ts';
import type { View } from './field-types.ts';
import type { PlaceOf } from './resolve-field.ts';
import { type Place, shownAt } from '../record/place.ts';

/** One deletion and insertion; those of one edit do not overlap, and none splits a character. */
export interface Splice {
  /** UTF-16 units before it, in the text before the edit. */
  readonly at: number;
  /** UTF-16 units to delete; 0 by default. */
  readonly delete?: number;
  /** What to insert; nothing by default. */
  readonly insert?: string;
}

declare const isTextEngine: unique symbol;

/**
 * What the core asks of the engine, about a text that was written to. Engines come with the package; what they are asked
 * and given is not public.
 */
export interface TextEngine {
  /** No other object passes for one. */
  readonly [isTextEngine]?: never;
  /**
   * The text that is shown. Throws `malformed`.
   * @internal
   */
  read(place: Place): string;
  /**
   * Writes splices into a draft. Throws `invalid-value` and `malformed`.
   * @internal
   */
  splice(draft: Draft, place: Place, splices: unknown): void;
  /**
   * Makes the text this one, by the smallest splice.
   * @internal
   */
  put(draft: Draft, place: Place, value: unknown): void;
  /**
   * Deletes what is seen of the text.
   * @internal
   */
  clear(draft: Draft, place: Place): void;
}

/** Whether something was written to the text that was not cleared or deleted. */
export function isTextShown(place: Place): boolean {
  return shownAt(place, tagText).length > 0;
}

export function showText({ place }: PlaceOf, { text }: View) {
  const live = isTextShown(place);
  return { value: live ? required(text, place).read(place) : '', live };
}

export function spliceText(draft: Draft, { place }: PlaceOf, splices: unknown): void {
  required(draft.options.text, place).splice(draft, place, splices);
}

/** An empty text that nobody wrote to needs no engine. */
export function putText(draft: Draft, { place }: PlaceOf, value: unknown): void {
  if (value !== '' || isTextShown(place)) required(draft.options.text, place).put(draft, place, value);
}

export function clearText(draft: Draft, place: Place): void {
  if (place.entries.some(isWritten)) required(draft.options.text, place).clear(draft, place);
}

/** The engine, once it is needed. */
function required(engine: TextEngine | undefined, { label: field }: Place): TextEngine {
  check(engine !== undefined, 'text-engine-missing', { field, rule: 'text-engine' });
  return engine;
}
