/**
 * The one check that everything from outside passes before it is merged, whether the log or a transfer brought it
 * (P4, P6): it must be well formed and its stamps must not lie too far ahead of our clock. What is refused is named
 * with its cause, never dropped and never clamped. Pure.
 */
import { ConflictError, merge, validate } from '@isthmus/conflict';
import type { DeadLetterCause } from './ports/record-store.ts';

export type CheckedMerge =
  | { readonly kind: 'merged'; readonly state: Uint8Array; readonly conflicts: number }
  | {
      readonly kind: 'refused';
      readonly cause: DeadLetterCause;
      readonly detail: string;
      /** The stamp that lies too far ahead. */
      readonly stampMs: number | null;
    };

/** `latestStampMs`: what bears a later stamp is refused. The state comes back itself where nothing changed. */
export function checkedMerge(state: Uint8Array, delta: Uint8Array, latestStampMs: number): CheckedMerge {
  let isSound = false;
  try {
    const stampMs = validate(delta);
    if (stampMs !== null && stampMs > latestStampMs) {
      const detail = `stamp ${stampMs} lies ${Math.round(stampMs - latestStampMs)} ms beyond the drift bound`;
      return { kind: 'refused', cause: 'clock-too-far-ahead', detail, stampMs };
    }
    isSound = true;
    const merged = merge(state, delta);
    return { kind: 'merged', state: merged.state, conflicts: merged.conflicts.length };
  } catch (reason) {
    if (!(reason instanceof ConflictError)) throw reason;
    // What was brought can be read, so what is stored here cannot.
    const detail = isSound ? `what is stored here cannot be merged: ${reason.message}` : reason.message;
    return { kind: 'refused', cause: causeOf(reason), detail, stampMs: null };
  }
}

export function causeOf({ code }: ConflictError): DeadLetterCause {
  return code === 'newer-format' || code === 'too-large' ? code : 'malformed';
}
