/**
 * What one can say of a state without its schema: whether the record exists, how late its latest stamp is, who wrote
 * it, and hashes of what it shows. The hashes cover the entries behind that with their dots and leave contexts out, so
 * they agree wherever the same record is shown, whatever else has been seen there and however much was collected.
 */
import { checkText } from '../arguments.ts';
import { CausalContext } from '../causal/causal-context.ts';
import { seenOfRanges } from '../causal/seen.ts';
import { hash128, hashBytes, hashText } from '../codec/hash.ts';
import { bytesOf } from '../codec/bytes.ts';
import { binaryOf, textOf } from '../codec/utf8.ts';
import { sized, varint } from '../codec/varint.ts';
import { check } from '../refusal.ts';
import { decode } from './decoded-record.ts';
import { type Entry, highestStamp as highestOf } from './entry.ts';
import { liveEntries, shownEntries } from './liveness.ts';

/** Whether the record does not exist: never written, or deleted. Throws `malformed` or `newer-format`. */
export function isDead(state: Uint8Array): boolean {
  return liveEntries(decode(state).entries).length === 0;
}

/**
 * 32 hexadecimal digits that change with every visible change; equal wherever the same record is shown. Throws
 * `malformed` or `newer-format`.
 */
export function version(state: Uint8Array): string {
  return hashText(hash128(shownBytes('', shownEntries(decode(state).entries))));
}

/**
 * 16 bytes for a sum over many records; zeros for a record that does not exist. `name` is whatever tells this record
 * from others, so that equal contents under different names do not have equal hashes. Throws `malformed`,
 * `newer-format`, and `invalid-argument` for a name that is no string or holds a lone surrogate.
 */
export function liveHash(state: Uint8Array, name = ''): Uint8Array {
  checkText(name, 'name');
  const shown = shownEntries(decode(state).entries);
  return shown.length === 0 ? new Uint8Array(16) : hashBytes(hash128(shownBytes(name, shown)));
}

/** Entries in a form that does not depend on the table of actors. */
function shownBytes(name: string, shown: readonly Entry[]): Uint8Array {
  const binary = binaryOf(name);
  check(binary !== null, 'invalid-argument', { rule: 'name', value: name });
  const parts = shown.map(
    ({ key, actor, counter, payload }) => sized(key) + sized(actor) + varint(counter) + sized(payload),
  );
  return bytesOf(sized(binary) + parts.join(''));
}

/**
 * Milliseconds since 1970 of the latest stamp in a state or a delta, of deletions too; `null` where there is none.
 * Throws `malformed` or `newer-format`.
 */
export function highestStamp(bytes: Uint8Array): number | null {
  return highestOf(decode(bytes).entries)?.ms ?? null;
}

/** All dots that a state or a delta has seen. Throws `malformed` or `newer-format`. */
export function contextOf(bytes: Uint8Array): CausalContext {
  const named = new CausalContext();
  for (const [actor, ranges] of decode(bytes).context) named.addSeen(textOf(actor), seenOfRanges(ranges));
  return named;
}
