/**
 * The check for bytes that come from elsewhere: after it, reading and merging cannot fail on them.
 * Beyond structure, which merge checks too, it reads every payload of a known kind and every name, and refuses
 * all forms but the canonical one. Time and memory are proportional to the length of the bytes.
 */
import { checkJson } from '../codec/json.ts';
import { malformed } from '../errors.ts';
import { readSlot } from './counter-slot.ts';
import type { Entry } from './decoded.ts';
import { decode } from './decoded.ts';
import { counterTag, deleteTag, markTag, registerTag, vectorBit } from './tags.ts';
import { readVector } from './vector.ts';

/** Throws ConflictError `malformed`. */
export function validate(bytes: Uint8Array): void {
  const dots = new Set<string>();
  for (const entry of decode(bytes).entries) {
    const dot = `${entry.dot.counter} ${entry.dot.actor}`;
    if (dots.has(dot)) throw malformed('one dot on two entries', dot);
    dots.add(dot);
    check(entry);
  }
}

function check(entry: Entry): void {
  const ofRecord = entry.tag === markTag || entry.tag === deleteTag;
  const ofField = entry.tag === registerTag || entry.tag === counterTag;
  if ((ofRecord && entry.path !== '') || (ofField && entry.path === '')) {
    throw malformed('an entry at a path where its kind cannot stand', entry.tag);
  }
  if (ofRecord && entry.payload.length > 0) throw malformed('a mark or delete with a payload', entry.tag);
  if (entry.tag === registerTag) checkJson(entry.payload);
  else if (entry.tag === counterTag) readSlot(entry.payload);
  else if ((entry.tag & vectorBit) !== 0) readVector(entry.payload, 0, entry.payload.length);
}
