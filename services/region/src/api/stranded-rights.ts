/**
 * What a refused spending is told beside what it has and needs: who else holds rights of the counter, and which of these
 * are stranded with an actor that writes no more. Those of others can be moved by them; stranded ones come free only when
 * an operator claims them.
 */
import { Problem } from '../problem.ts';
import { type Holder, type Writers, isStranded } from '../records/rights.ts';

/** The same problem where it is another one, or nobody else holds any. */
export function tellHolders(problem: Problem, writers: Writers): Problem {
  const { rights } = problem;
  const others = problem.holders.filter(({ actor }) => actor !== writers.self);
  if (rights === undefined || others.length === 0) return problem;
  const elsewhere = others.map((holder) => ({ ...holder, stranded: isStranded(holder, writers) }));
  return new Problem(problem.code, `${problem.message}${strandedText(elsewhere)}`, {
    violations: problem.violations,
    headers: problem.headers,
    rights: { ...rights, elsewhere },
    cause: problem,
  });
}

function strandedText(elsewhere: readonly (Holder & { readonly stranded: boolean })[]): string {
  const stranded = elsewhere.filter((holder) => holder.stranded);
  if (stranded.length === 0) return '';
  const names = [...new Set(stranded.map(({ region, actor }) => region ?? actor))].join(', ');
  const count = stranded.reduce((sum, holder) => sum + holder.rights, 0);
  return `; ${count} more are stranded with ${names} until they are claimed`;
}
