/**
 * Sorting of what is short nearly always: the entries, the actors and the dots of one record. An engine allocates more
 * than a kilobyte for each sort, however little there is to sort, which was a fifth of what an edit left behind.
 */

/** More than this is left to the engine, whose time does not grow with the square of the length. */
const longest = 16;

/** A list of its own, in the order of `compare`, in which equal items keep theirs. */
export function sorted<Item>(items: readonly Item[], compare: (a: Item, b: Item) => number): Item[] {
  if (items.length > longest) return items.toSorted(compare);
  const list: Item[] = [];
  for (const item of items) {
    list.splice(list.findLastIndex((each) => compare(each, item) <= 0) + 1, 0, item);
  }
  return list;
}
