/**
 * Which partition a record's changes travel in. Every region must come to the same answer for ever, so the hash is
 * ours and fixed: FNV-1a over the UTF-8 bytes of collection, a zero byte, and group, then a final mix, because the
 * low bits of FNV alone are uneven for short keys. Records of one group always share a partition (P2).
 */
import { groupOf } from '../ports/change.ts';
import type { RecordId } from '../ports/change.ts';

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;
const lastOfAscii = 0x7f;

export function partitionOf(id: RecordId, partitionCount: number): number {
  const hash = hashText(hashByte(hashText(offsetBasis, id.collection), 0), groupOf(id.key));
  return mix(hash) % partitionCount;
}

/** Of a text in ASCII, as most are, the units are the bytes; making bytes of it takes five times as long. */
function hashText(seed: number, text: string): number {
  let hash = seed;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > lastOfAscii) return hashBytes(seed, Buffer.from(text, 'utf8'));
    hash = hashByte(hash, unit);
  }
  return hash;
}

function hashBytes(seed: number, bytes: Uint8Array): number {
  let hash = seed;
  for (const byte of bytes) hash = hashByte(hash, byte);
  return hash;
}

function hashByte(hash: number, byte: number): number {
  return Math.imul(hash ^ byte, prime) >>> 0;
}

/** The finaliser of MurmurHash3. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
