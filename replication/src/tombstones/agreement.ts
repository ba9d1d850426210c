/**
 * What survivors agree on about a region that is gone (P8), from what each of them says: the final vector, which is all
 * that is kept of it, and one heir. Nobody decides before every survivor names the same survivors and has come as far as
 * any other, so whoever is lost afterwards takes nothing along. Everybody comes to the same, whenever and in whatever order
 * the words are read: after its close a survivor's position moves only to where another's stood, and a wish never changes.
 * Who finds a word that is decided already takes it over. Pure.
 */
import { sameRegions } from '../agreed.ts';
import type { RegionId } from '../ports/identity.ts';
import type { Agreement } from '../ports/retirement-store.ts';
import type { RetirementWord } from '../ports/retirement-witness.ts';
import type { Vector } from '../ports/vector.ts';
import { greatestOf, lacking, placeOf } from '../vector.ts';

export type Words = ReadonlyMap<RegionId, RetirementWord>;

export type Judgement =
  | { readonly kind: 'agreed'; readonly agreement: Agreement }
  /** Survivors that have said nothing, count others among the survivors, or lack some of what another has. */
  | { readonly kind: 'waits'; readonly for: readonly RegionId[] };

/** Only words of survivors count. */
export function judgeWords(survivors: readonly RegionId[], words: Words): Judgement {
  const sorted = survivors.toSorted();
  const said = sorted.flatMap((survivor) => words.get(survivor) ?? []);
  const known = said.find(({ agreed }) => agreed !== null)?.agreed ?? null;
  if (known !== null) return { kind: 'agreed', agreement: known };
  const final = said.map(({ position }) => position).reduce(greatestOf, []);
  const missing = sorted.filter((survivor) => {
    const word = words.get(survivor);
    if (word === undefined || !sameRegions(word.survivors, survivors)) return true;
    return lacking(word.position, final) !== null;
  });
  const [first] = sorted;
  if (first === undefined || missing.length > 0) return { kind: 'waits', for: missing };
  const heir = heirAmong(sorted, said) ?? first;
  return { kind: 'agreed', agreement: { final: final.toSorted(inOrder), heir } };
}

/** The first by name that somebody wishes for: of two commands that name two heirs, both lead to the same one. */
function heirAmong(survivors: readonly RegionId[], words: readonly RetirementWord[]): RegionId | null {
  return survivors.find((survivor) => words.some(({ wish }) => wish === survivor)) ?? null;
}

function inOrder(a: Vector[number], b: Vector[number]): number {
  return placeOf(a) < placeOf(b) ? -1 : 1;
}
