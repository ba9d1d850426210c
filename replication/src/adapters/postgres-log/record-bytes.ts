/**
 * The bytes of a log record as the log stores them: large ones deflated, because what crosses the link and what the
 * write-ahead log holds twice both cost. What comes out of a peer's record is bounded, so that a few hostile bytes cannot
 * claim the memory of the process.
 */
import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRaw, inflateRawSync } from 'node:zlib';
import { maxRecordBytes } from './topic.ts';

export interface StoredBytes {
  readonly compressed: boolean;
  readonly bytes: Uint8Array;
}

const compressFromBytes = 1_024;
/** Below this the work is cheaper than handing it to another thread. */
const inlineBytes = 16 * 1024;
/** The first level that looks for a longer match behind one it has found: 3 to 5 % less for a microsecond or three a change. */
const lazyLevel = 4;
const deflating = { level: lazyLevel };
const inflating = { maxOutputLength: maxRecordBytes };
const deflate = promisify(deflateRaw);
const inflate = promisify(inflateRaw);

export async function toStored(bytes: Uint8Array): Promise<StoredBytes> {
  if (bytes.length < compressFromBytes) return { compressed: false, bytes };
  const small =
    bytes.length < inlineBytes ? deflateRawSync(bytes, deflating) : await deflate(bytes, deflating);
  return small.length < bytes.length ? { compressed: true, bytes: small } : { compressed: false, bytes };
}

/** What cannot be inflated comes out as it is: whoever reads it refuses it by its checksum, and no reader is held up. */
export async function fromStored({ compressed, bytes }: StoredBytes): Promise<Uint8Array> {
  if (!compressed) return bytes;
  try {
    return bytes.length < inlineBytes ? inflateRawSync(bytes, inflating) : await inflate(bytes, inflating);
  } catch {
    return bytes;
  }
}
