/**
 * Whether a record stands at a horizon: the last that it has seen of each actor is what everybody has seen. Then nothing
 * that it holds is still under way to anybody, and nothing older will arrive. Below, it may have gaps: where a record was
 * dropped and others created it again, its new state has not seen what the old one had.
 */
import { lastOf, type Seen } from '../causal/seen.ts';
import { textOf } from '../codec/utf8.ts';

/** `context` names actors as binary strings, `horizon` as texts. */
export function isStable(context: Seen, horizon: ReadonlyMap<string, number>): boolean {
  const actors = [...context.keys()];
  return (
    actors.length === horizon.size &&
    actors.every((actor) => horizon.get(textOf(actor)) === lastOf(context, actor))
  );
}
