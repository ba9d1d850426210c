/**
 * What acknowledged and unknown changes of a number allow it to be: the acknowledged sum plus that of some subset of
 * the unknown ones. Amounts are large and random, so a lost, doubled or torn change gives a sum that no subset explains.
 */

/** More unknown amounts than this could explain anything, so the checkers refuse to judge. */
const maxUnknown = 16;

export interface Sum {
  readonly acknowledged: number;
  readonly unknown: readonly number[];
}

/** Of what nobody changed. */
export const nothing: Sum = { acknowledged: 0, unknown: [] };

/** What is wrong with `found`; `null`: nothing. */
export function judgeSum({ acknowledged, unknown }: Sum, found: number): string | null {
  if (unknown.length > maxUnknown)
    return `${unknown.length} unknown changes, at most ${maxUnknown} can be judged`;
  if (subsetSums(unknown).has(found - acknowledged)) return null;
  return `reads ${found}, acknowledged ${acknowledged}, unknown ${unknown.join(' ')}`;
}

function subsetSums(amounts: readonly number[]): ReadonlySet<number> {
  let sums = new Set([0]);
  for (const amount of amounts) sums = new Set([...sums, ...[...sums].map((sum) => sum + amount)]);
  return sums;
}
