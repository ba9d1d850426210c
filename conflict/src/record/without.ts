/** What of a list is not in another. */
export function without<Item>(all: Iterable<Item>, others: Iterable<Item>): Item[] {
  const set = new Set(others);
  return [...all].filter((item) => !set.has(item));
}
