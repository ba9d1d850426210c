/**
 * I4: where both sides have everything, live data are equal. Compared are canonical hashes of live entries, record by
 * record, so that a difference names its record; the sum over them is the digest that regions show.
 */
import type { Violation } from './history.ts';

/** Hash of each live record by name, of one region. */
export type LiveHashes = ReadonlyMap<string, string>;

export function checkConvergence(regions: ReadonlyMap<string, LiveHashes>): readonly Violation[] {
  const [first, ...others] = [...regions];
  if (first === undefined) return [];
  const [name, hashes] = first;
  return others.flatMap(([other, theirs]) =>
    [...new Set([...hashes.keys(), ...theirs.keys()])]
      .filter((key) => hashes.get(key) !== theirs.get(key))
      .map((key) => ({
        checker: 'convergence',
        key,
        detail: `${name} shows ${hashes.get(key) ?? 'nothing'}, ${other} ${theirs.get(key) ?? 'nothing'}`,
      })),
  );
}
