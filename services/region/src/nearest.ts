/**
 * The known name that a mistyped one most likely meant, by edit distance. It only ever suggests: nobody acts on what
 * it returns.
 */
const farthestEdits = 4;

/** `null` where no known name is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  const farthest = Math.min(farthestEdits, Math.ceil(name.length / 3));
  let best: string | null = null;
  let bestEdits = farthest + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= bestEdits) continue;
    const edits = editsBetween(name, candidate);
    if (edits >= bestEdits) continue;
    best = candidate;
    bestEdits = edits;
  }
  return best;
}

/** Levenshtein distance, one row at a time. */
function editsBetween(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1] ? 0 : 1;
      const replaced = (row[j - 1] ?? 0) + same;
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
