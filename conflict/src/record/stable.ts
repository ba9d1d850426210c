/**
 * Whether a record stands at a horizon: the last that it has seen of each actor is what everybody has seen. Then nothing
 * that it holds is still under way to anybody, and nothing older will arrive. Below, it may have gaps: where a record was
 * dropped and others created it again, its new state has not seen what the old one had.
 */
import type { CausalContext } from '../causal/causal-context.ts';
import type { VersionVector } from '../causal/version-vector.ts';
import { textOf } from '../codec/utf8.ts';

/** `context` names actors as binary strings. */
export function isStable(context: CausalContext, horizon: VersionVector): boolean {
  const actors = [...context.actors()];
  return (
    actors.length === horizon.entries().length &&
    actors.every((actor) => horizon.get(textOf(actor)) === context.last(actor))
  );
}
