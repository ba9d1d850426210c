/**
 * One entry of a byte sequence as the merge sees it: its bounds, its dot and where its key begins. Moving on reads
 * three integers and looks at nothing else. Keys are compared where they lie; both are bounded by the end of their
 * entry, so no comparison leaves it.
 */
import { malformed } from '../errors.ts';
import { tagExtended, tagRegister, traitsOf, traitSub } from '../codec/format.ts';
import { cursor, type Head, varintAt } from './head.ts';

export class EntryCursor {
  bytes: Uint8Array = new Uint8Array(0);
  /** First byte of the entry, of its actor and of its key; `end` is the first byte after it. */
  start = 0;
  body = 0;
  key = 0;
  end = 0;
  /** Index in the head of the same bytes. */
  actor = 0;
  counter = 0;
  done = true;

  /** Places the cursor on the first entry after a head. */
  begin(head: Head): void {
    this.bytes = head.bytes;
    this.end = head.entriesStart;
    this.next(head);
  }

  copy(other: EntryCursor): void {
    this.bytes = other.bytes;
    this.start = other.start;
    this.body = other.body;
    this.key = other.key;
    this.end = other.end;
    this.actor = other.actor;
    this.counter = other.counter;
    this.done = other.done;
  }

  next(head: Head): void {
    const { bytes } = this;
    const start = this.end;
    this.start = start;
    this.done = start >= bytes.length;
    if (this.done) return;
    const length = varintAt(bytes, start, bytes.length);
    this.body = cursor.end;
    const end = cursor.end + length;
    if (end > bytes.length) throw malformed('length');
    this.actor = varintAt(bytes, cursor.end, end);
    this.counter = varintAt(bytes, cursor.end, end);
    if (this.actor >= head.actorCount || this.counter === 0) throw malformed('dot');
    this.key = cursor.end;
    this.end = end;
  }
}

/** Length of the keys that `compareKeys` found equal last, and their tag. */
export const equalKeys = { length: 0, tag: 0 };

/** Order of the keys under two cursors, as bytes. */
export function compareKeys(a: EntryCursor, b: EntryCursor): number {
  const bytesA = a.bytes;
  const bytesB = b.bytes;
  let atA = a.key;
  let atB = b.key;
  const endA = a.end;
  const endB = b.end;
  for (;;) {
    if (atA >= endA || atB >= endB) throw malformed('key');
    const byte = bytesA[atA++] ?? 0;
    const difference = byte - (bytesB[atB++] ?? 0);
    if (difference !== 0) return difference;
    if (byte >= tagRegister) {
      equalKeys.tag = byte;
      break;
    }
  }
  equalKeys.length = atA - a.key;
  if (equalKeys.tag === tagExtended || (traitsOf(equalKeys.tag) & traitSub) !== 0) return compareSubs(a, b);
  return 0;
}

/** The rest of two keys that are equal up to the tag. */
function compareSubs(a: EntryCursor, b: EntryCursor): number {
  let length = equalKeys.length;
  if (equalKeys.tag === tagExtended) {
    const type = byteOf(a, length);
    const difference = type - byteOf(b, length);
    if (difference !== 0) return difference;
    length++;
    equalKeys.tag = tagExtended * 256 + type;
  }
  if ((traitsOf(equalKeys.tag) & traitSub) !== 0) {
    const subLength = varintAt(a.bytes, a.key + length, a.end);
    const total = cursor.end - a.key + subLength;
    for (; length < total; length++) {
      const difference = byteOf(a, length) - byteOf(b, length);
      if (difference !== 0) return difference;
    }
  }
  equalKeys.length = length;
  return 0;
}

function byteOf(entry: EntryCursor, offset: number): number {
  const at = entry.key + offset;
  if (at >= entry.end) throw malformed('key');
  return entry.bytes[at] ?? 0;
}
