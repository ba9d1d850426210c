/**
 * The full check of bytes that came from elsewhere: not only what a merge needs in order to stay in bounds, but that
 * every entry can be read. What passes here merges, reads and encodes without an error. Payloads of a newer minor
 * version are taken as they are, because only newer code can tell what they hold.
 */
import { ByteReader } from '../codec/byte-reader.ts';
import {
  formatMinor,
  tagDeletion,
  tagElement,
  tagExtended,
  tagMark,
  tagRegister,
  tagText,
  tagTextClient,
  traitsOf,
  traitStamped,
  traitVector,
} from '../codec/format.ts';
import { vectorOf } from '../codec/vector.ts';
import { malformed } from '../errors.ts';
import { elementOf } from '../types/set.ts';
import { siblingOf } from '../types/register.ts';
import { decode } from './decoded-record.ts';
import { type Entry, stampAt, stampLength } from './entry.ts';

/** Throws `malformed` or `newer-format`; empty bytes are valid. */
export function validate(bytes: Uint8Array): void {
  const { minor, entries } = decode(bytes);
  for (const entry of entries) {
    const traits = traitsOf(entry.tag);
    if ((traits & traitVector) !== 0) vectorOf(entry.payload);
    else if (entry.tag > tagExtended) checkStamped(entry, traits);
    else if (minor <= formatMinor) checkPayload(entry);
  }
}

function checkStamped({ payload }: Entry, traits: number): void {
  if ((traits & traitStamped) !== 0) stampAt(payload, 0);
}

function checkPayload(entry: Entry): void {
  const { tag, payload } = entry;
  if (tag === tagRegister) siblingOf(entry, false);
  else if (tag === tagElement) checkElement(entry);
  else if (tag === tagMark || tag === tagDeletion) checkStampOnly(payload, 0);
  else if (tag === tagText) checkChunk(payload);
  else if (tag === tagTextClient && payload.length > 0) throw malformed('text client');
}

/** A stamp and nothing after it. */
function checkStampOnly(payload: Uint8Array, offset: number): void {
  stampAt(payload, offset);
  if (payload.length !== offset + stampLength(payload, offset)) throw malformed('stamp');
}

function checkElement({ sub, payload }: Entry): void {
  elementOf(sub);
  if (payload.length === 0) return;
  const kind = payload[0] ?? 0;
  if (kind > 1 || (kind === 0 && payload.length === 1)) throw malformed('element');
  if (payload.length > 1) checkStampOnly(payload, 1);
}

function checkChunk(payload: Uint8Array): void {
  const reader = new ByteReader(payload);
  if (reader.byte() > 1) throw malformed('text');
  stampAt(payload, 1);
  reader.skip(stampLength(payload, 1));
  reader.byte();
}
