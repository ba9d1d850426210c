/**
 * Whether a record stands at a horizon: it has seen exactly what everybody has seen, neither less nor more. Then nothing
 * that it holds is still under way to anybody, and nothing older will arrive.
 */
import type { CausalContext } from '../causal/causal-context.ts';
import type { VersionVector } from '../causal/version-vector.ts';
import { textOf } from '../codec/utf8.ts';

/** `context` names actors as binary strings. */
export function isStable(context: CausalContext, horizon: VersionVector): boolean {
  const actors = [...context.actors()];
  return (
    actors.length === horizon.entries().length &&
    actors.every((actor) => {
      const { max, runs } = context.seenOf(actor);
      return runs.length === 0 && horizon.get(textOf(actor)) === max;
    })
  );
}
