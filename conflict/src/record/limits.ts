/** What an edit may make. Merges enforce no limits: what one region has accepted, all others must take. */
import { ConflictError } from '../errors.ts';

export const deltaLimitBytes = 256 * 1024;
const stateLimitBytes = 1024 * 1024;

/** A state that merges have made too large may still be edited as long as it does not grow. */
export function checkSizes(before: Uint8Array, delta: Uint8Array, state: Uint8Array): void {
  if (delta.length > deltaLimitBytes) throw tooLarge('bytes of one change', deltaLimitBytes, delta.length);
  if (state.length > stateLimitBytes && state.length > before.length) {
    throw tooLarge('bytes of a state', stateLimitBytes, state.length);
  }
}

function tooLarge(rule: string, limit: number, value: number): ConflictError {
  return new ConflictError('too-large', { rule, limit, value });
}
