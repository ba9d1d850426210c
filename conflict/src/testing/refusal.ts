/** Why the library must refuse an operation, and the first of several that it must refuse. */
import type { ModelEdit } from './model-edit.ts';
import type { Operation } from './operation.ts';

export type Refusal = { readonly code: string; readonly have: number; readonly need: number };

/** Applies operations up to the first that the library must refuse. */
export function firstRefusal(model: ModelEdit, operations: readonly Operation[]): Refusal | null {
  for (const operation of operations) {
    const refusal = model.apply(operation);
    if (refusal !== null) return refusal;
  }
  return null;
}
