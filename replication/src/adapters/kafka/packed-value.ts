/**
 * The value of a record as it lies in a topic: from a stated size on compressed, since bytes between regions cost money;
 * below it that would win little. A value that is compressed is told by the first bytes of gzip, so one that begins with
 * them by itself is compressed whatever its size. What claims to be compressed and is not, or would take more than a
 * record may, is handed out as it lies, for its reader to refuse: no batch is held back for one bad value in it.
 */
import { deflate, inflate } from './gzip-codec.ts';
import { maxRecordBytes } from './topics.ts';

const packFromBytes = 2_048;
/** RFC 1952, 2.3.1: identification and the one method of compression. */
const gzipStart = [0x1f, 0x8b, 0x08] as const;

export async function packValue(value: Uint8Array): Promise<Uint8Array> {
  return value.length < packFromBytes && !startsPacked(value) ? value : deflate(value);
}

/** `value` may be a view; what comes back is one where nothing was compressed. */
export async function unpackValue(value: Uint8Array): Promise<Uint8Array> {
  if (!startsPacked(value)) return value;
  try {
    return await inflate(Buffer.from(value.buffer, value.byteOffset, value.length), maxRecordBytes);
  } catch {
    return value;
  }
}

function startsPacked(value: Uint8Array): boolean {
  return gzipStart.every((byte, index) => value[index] === byte);
}
