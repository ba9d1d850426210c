/**
 * Clearing a place: what it holds now is forgotten, what others write at the same time is not. A map is cleared
 * member by member, to any depth. Entries of types that this version does not know are cleared by their traits. The
 * numbers under which a text was written go with it, so that nobody writes under one whose earlier words are not at hand.
 * A deletion is nothing that the record holds; what hides other writes goes on hiding them.
 */
import { tagDeletion, tagMoved, tagRights, tagText } from '../codec/format.ts';
import type { Draft } from '../record/draft.ts';
import { pathSeparatorText } from '../codec/format.ts';
import { memberPath } from '../codec/path.ts';
import { textOf } from '../codec/utf8.ts';
import { resetBounded } from './bounded-counter.ts';
import type { Place } from './place.ts';
import { clearText, type TextEngine } from './text.ts';

export function resetPlace(draft: Draft, place: Place, engine: TextEngine | undefined): void {
  if (place.node.entries.length === 0 && place.node.children.size === 0) return;
  clearText(draft, place, engine);
  resetBounded(draft, place);
  const own = new Set([tagText, tagRights, tagMoved, tagDeletion]);
  draft.reset(
    place.node,
    place.node.entries.filter((entry) => !own.has(entry.tag)),
  );
  for (const name of place.node.children.keys())
    resetPlace(draft, childOf(place, name, textOf(name)), engine);
}

/** The place of a member, by its name as a binary string and as a text. */
export function childOf(place: Place, name: string, text: string): Place {
  const path = place.path === '' ? name : place.path + pathSeparatorText + name;
  const { node, deletion } = place;
  return { path, label: memberPath(place.label, text), node: node.child(name), deletion };
}
