/**
 * What replicas owe to each other once all of them were told the same: they show the same, under equal versions and
 * hashes, and hold equal bytes; where some have collected what others still hold, only the bytes may differ.
 */
import type { ReadResult } from '../record/schema.ts';
import { liveHash, version } from '../record/summary.ts';
import { Broken } from './history-failure.ts';

export interface AgreementOptions {
  readonly read: (state: Uint8Array) => ReadResult<unknown>;
  /** Some have collected what others still hold. */
  readonly isApart: boolean;
}

/** Throws `Broken` where two of the states disagree. */
export function expectAgreement(states: readonly Uint8Array[], { read, isApart }: AgreementOptions): void {
  const [first, ...others] = states;
  if (first === undefined) return;
  const shown = JSON.stringify(read(first));
  for (const other of others) {
    const otherShown = JSON.stringify(read(other));
    if (otherShown !== shown)
      throw new Broken(`replicas that were told the same show ${shown} and ${otherShown}`);
    if (!isApart) expectSame(other, first, 'replicas that have seen the same have different bytes');
    expectSame(liveHash(other, 'r'), liveHash(first, 'r'), 'equal states have different hashes');
    if (version(other) !== version(first)) throw new Broken('equal states have different versions');
  }
}

/** Throws `Broken` with the message where the bytes differ. */
export function expectSame(actual: Uint8Array, expected: Uint8Array, message: string): void {
  if (!isSame(actual, expected)) throw new Broken(message);
}

export function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
