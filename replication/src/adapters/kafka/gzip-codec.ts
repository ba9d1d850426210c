/**
 * Compression of record batches with gzip, because bytes between regions cost money. What comes out of a peer's batch is
 * bounded, so that a few hostile bytes cannot claim the memory of the process.
 */
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync, gzip, gzipSync } from 'node:zlib';

/** Above the largest batch that one publish can make. */
export const maxInflatedBytes = 64 * 1024 * 1024;

/** Below this the work is cheaper than handing it to another thread. */
const inlineBytes = 16 * 1024;
/** The first level that looks for a longer match behind one it has found: 3 to 5 % less for a microsecond or three a change. */
const lazyLevel = 4;
const deflating = { level: lazyLevel };
const inflating = { maxOutputLength: maxInflatedBytes };

/** What comes out is made in pieces of this size at most, whatever the batch says of itself. */
const largestPieceBytes = 1024 * 1024;
const leastPieceBytes = 16 * 1024;
const deflate = promisify(gzip);
const inflate = promisify(gunzip);

/** What is small does not fill the window and the tables of the usual size, but would pay for clearing them. */
const smallBytes = 4 * 1024;
const deflatingSmall = { level: constants.Z_BEST_SPEED, windowBits: 12, memLevel: 5 };

export async function deflateBatch(bytes: Buffer): Promise<Buffer> {
  if (bytes.length < smallBytes) return gzipSync(bytes, deflatingSmall);
  if (bytes.length < inlineBytes) return gzipSync(bytes, deflating);
  return deflate(bytes, deflating);
}

export async function inflateBatch(bytes: Buffer): Promise<Buffer> {
  if (bytes.length < inlineBytes) return gunzipSync(bytes, inflating);
  return inflate(bytes, { ...inflating, chunkSize: pieceBytes(bytes) });
}

/** The last four bytes say how much comes out; in one piece that takes half the time of pieces of the usual size. */
function pieceBytes(bytes: Buffer): number {
  const inflatedBytes = bytes.readUInt32LE(bytes.length - 4);
  return Math.min(largestPieceBytes, Math.max(leastPieceBytes, inflatedBytes));
}
