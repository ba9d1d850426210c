/** Whether what survivors agreed on is the same, by what it says and not by its bytes (P8). Pure. */
import type { RegionId } from './ports/identity.ts';
import type { Agreement, Retirement } from './ports/retirement-store.ts';
import { lacking } from './vector.ts';

/** Nothing of it contradicts what is known. */
export function fits({ final, heir }: Agreement, known: Pick<Retirement, 'final' | 'heir'>): boolean {
  const isSameFinal =
    known.final === null || (lacking(known.final, final) === null && lacking(final, known.final) === null);
  return isSameFinal && (known.heir === null || known.heir === heir);
}

export function sameRegions(a: readonly RegionId[], b: readonly RegionId[]): boolean {
  const [left, right] = [new Set(a), new Set(b)];
  return left.size === right.size && [...left].every((region) => right.has(region));
}
