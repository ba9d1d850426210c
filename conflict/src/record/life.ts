/**
 * Which entries are live, and whether the record exists; both follow from the bytes alone. Without a delete
 * entry a record exists while anything in it is live. With one (collections where the last writer wins) it
 * exists while a mark stands above the latest delete; then registers above that delete and counters above their
 * baselines are live. Control entries never are. Of a record that does not exist nothing is live.
 */
import { counterTag, controlBit, deleteTag, markTag } from './tags.ts';
import { isExhausted, readSlot } from './counter-slot.ts';
import type { Entry } from './decoded.ts';
import { compareEntries } from './decoded.ts';

export interface Life {
  readonly exists: boolean;
  readonly live: readonly Entry[];
  readonly latestDelete: Entry | null;
}

export function lifeOf(entries: readonly Entry[]): Life {
  const latestDelete = entries
    .filter((entry) => entry.tag === deleteTag)
    .reduce<Entry | null>(
      (latest, entry) => (latest === null || compareEntries(entry, latest) > 0 ? entry : latest),
      null,
    );
  const live = entries.filter((entry) => holdsData(entry) && isAbove(entry, latestDelete));
  const exists = latestDelete === null ? live.length > 0 : live.some((entry) => entry.tag === markTag);
  return { exists, live: exists ? live : [], latestDelete };
}

/** An entry that is not hidden by a delete, whether or not the record exists. */
function isAbove(entry: Entry, latestDelete: Entry | null): boolean {
  if (latestDelete === null || entry.stamp === null || entry.tag === counterTag) return true;
  return compareEntries(entry, latestDelete) > 0;
}

function holdsData(entry: Entry): boolean {
  if (entry.tag === counterTag) return !isExhausted(readSlot(entry.payload));
  return (entry.tag & controlBit) === 0;
}
