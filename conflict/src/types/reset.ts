/**
 * Clearing a place: what it holds now is forgotten, what others write at the same time is not. A map is cleared
 * member by member, to any depth. Entries of types that this version does not know are cleared by their traits. The
 * numbers under which a text was written go with it, so that nobody writes under one whose earlier words are not at hand.
 * A deletion is nothing that the record holds; what hides other writes goes on hiding them.
 */
import { tagDeletion, tagRights, tagText } from '../codec/format.ts';
import type { Draft } from '../record/draft.ts';
import type { Place } from '../record/place.ts';
import { resetRights } from './bounded-counter.ts';
import { clearText } from './text.ts';

const ownWays = new Set([tagText, tagRights, tagDeletion]);

export function resetPlace(draft: Draft, place: Place): void {
  clearText(draft, place);
  resetRights(draft, place);
  draft.reset(
    place,
    place.entries.filter((entry) => !ownWays.has(entry.tag)),
  );
  for (const child of place.children.values()) resetPlace(draft, child);
}
