/**
 * The bytes of a sealed record, and what a signature is made over. Records that are published together share one
 * signature: it covers the root of a hash tree over all of them, and each carries the few hashes that lead from itself to
 * the root, so a reader of one record needs no other. A leaf binds the record's bytes to its region, topic and
 * partition, with every length written out. Leaves, nodes and the signed text begin differently, so none is ever taken
 * for another. Every byte counts: there is one way only to write a given seal down.
 *
 *     u8 0xa1                        first byte of a sealed record; what begins otherwise bears no seal
 *     8 bytes key                    the first of the SHA-256 of the signing key
 *     u8 depth, u32 index            place of the record's leaf in a tree of 2^depth leaves
 *     depth × 32 bytes               hashes beside the way to the root, from the leaf on
 *     64 bytes signature             Ed25519 over domain, key and root
 *     body                           to the end
 */
import { hash } from 'node:crypto';
import { ByteWriter } from '../bytes.ts';
import type { LogPlace, LogTopic } from '../ports/log-seal.ts';

export const sealMark = 0xa1;
export const keyIdBytes = 8;
const signatureBytes = 64;
const hashBytes = 32;
const headBytes = 1 + keyIdBytes + 1 + 4;
const maxDepth = 20;
/** Enough for what stands before a body in its leaf. */
const placeBytes = 96;

const leafDomain = Buffer.from('\0isthmus log record 1\0');
const nodeDomain = Buffer.from('\u0001isthmus log node 1\0');
const rootDomain = Buffer.from('\u0002isthmus log batch 1\0');
const topics = { changes: 1, progress: 2, control: 3 } as const satisfies Record<LogTopic, number>;
/** For leaves that are not there; no bytes are known that have this hash. */
const absent = Buffer.alloc(hashBytes);

export interface Seal {
  readonly keyId: Uint8Array;
  readonly index: number;
  /** From the leaf on. */
  readonly path: readonly Uint8Array[];
  readonly signature: Uint8Array;
}

export interface SealedRecord extends Seal {
  readonly body: Uint8Array;
}

/** Of one record at its place. */
export function leafOf({ region, topic, partition }: LogPlace, body: Uint8Array): Buffer {
  const writer = new ByteWriter(placeBytes + body.length);
  writer.raw(leafDomain);
  writer.u8(topics[topic]);
  writer.u32(partition);
  writer.string(region);
  writer.u32(body.length);
  writer.raw(body);
  return hash('sha256', writer.view(), 'buffer');
}

/** From the leaves up to the root, which stands alone in the last. */
export function treeOf(leaves: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const levels: (readonly Uint8Array[])[] = [leaves];
  for (let level = leaves; level.length > 1; levels.push(level)) {
    const below = level;
    level = Array.from({ length: Math.ceil(below.length / 2) }, (_, index) =>
      nodeOf(below[2 * index] ?? absent, below[2 * index + 1] ?? absent),
    );
  }
  return levels;
}

/** What stands beside the way from a leaf to the root. */
export function pathIn(tree: readonly (readonly Uint8Array[])[], index: number): readonly Uint8Array[] {
  return tree.slice(0, -1).map((level, height) => level[(index >>> height) ^ 1] ?? absent);
}

export function rootOver(leaf: Uint8Array, { index, path }: Pick<Seal, 'index' | 'path'>): Uint8Array {
  return path.reduce(
    (below, beside, height) => ((index >>> height) & 1 ? nodeOf(beside, below) : nodeOf(below, beside)),
    leaf,
  );
}

/** What is signed. */
export function signedText(keyId: Uint8Array, root: Uint8Array): Buffer {
  return Buffer.concat([rootDomain, keyId, root]);
}

export function writeSealed({ keyId, index, path, signature, body }: SealedRecord): Buffer {
  const writer = new ByteWriter(headBytes + path.length * hashBytes + signatureBytes + body.length);
  writer.u8(sealMark);
  writer.raw(keyId);
  writer.u8(path.length);
  writer.u32(index);
  for (const beside of path) writer.raw(beside);
  writer.raw(signature);
  writer.raw(body);
  return writer.finish();
}

/** Views on `bytes`, which bear the mark; `null` where they are no seal. */
export function readSealed(bytes: Uint8Array): SealedRecord | null {
  if (bytes.length < headBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const depth = view.getUint8(1 + keyIdBytes);
  const index = view.getUint32(1 + keyIdBytes + 1);
  const bodyAt = headBytes + depth * hashBytes + signatureBytes;
  if (depth > maxDepth || index >= 2 ** depth || bytes.length < bodyAt) return null;
  const hashAt = (height: number) => headBytes + height * hashBytes;
  return {
    keyId: bytes.subarray(1, 1 + keyIdBytes),
    index,
    path: Array.from({ length: depth }, (_, height) => bytes.subarray(hashAt(height), hashAt(height + 1))),
    signature: bytes.subarray(hashAt(depth), bodyAt),
    body: bytes.subarray(bodyAt),
  };
}

function nodeOf(left: Uint8Array, right: Uint8Array): Buffer {
  return hash('sha256', Buffer.concat([nodeDomain, left, right]), 'buffer');
}
