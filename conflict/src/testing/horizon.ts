/** What replicas report of what they have seen, and what follows from all reports. */
import { StabilityTracker } from '../causal/stability-tracker.ts';
import { VersionVector } from '../causal/version-vector.ts';
import { contextOf } from '../record/summary.ts';
import type { Replica } from './replica.ts';

function seenIn(state: Uint8Array): VersionVector {
  const seen = new VersionVector();
  const context = contextOf(state);
  for (const actor of context.actors()) seen.raise(actor, context.seenOf(actor).max);
  return seen;
}

/** What a replica says of its state where a barrier has told it that everybody has seen all of it. */
export function lastIn(state: Uint8Array): VersionVector {
  const context = contextOf(state);
  return VersionVector.from([...context.actors()].map((actor) => [actor, context.last(actor)] as const));
}

export function horizonOf(replicas: readonly Replica[]): VersionVector {
  const tracker = new StabilityTracker(replicas.flatMap((replica) => replica.names));
  for (const { names, state } of replicas) {
    for (const name of names) tracker.observe(name, seenIn(state));
  }
  return tracker.horizon;
}
