/**
 * Gives a copied Postgres cluster a system identifier of its own.
 * The identifier stands at the start of `global/pg_control`, which ends in a CRC32C over all before it,
 * and again in the long header of each segment of the write-ahead log, which has no checksum. Both are
 * rewritten, on a cluster that was shut down cleanly and is not running; any other must not be given.
 * Source: PostgreSQL `src/include/catalog/pg_control.h` and `access/xlog_internal.h`.
 */
import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { open, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const crcPolynomial = 0x82f63b78;
const shortestControlBytes = 128;
const longestControlBytes = 512;
/** After magic, info, timeline, page address and remaining length, padded to eight bytes. */
const segmentIdentifierOffset = 24;
const segmentName = /^[0-9A-F]{24}$/;

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ crcPolynomial : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (table[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** As initdb makes it: seconds, then microseconds, then twelve bits of chance. */
export function newSystemIdentifier(nowMs: number): bigint {
  const seconds = BigInt(Math.floor(nowMs / 1000));
  return (seconds << 32n) | (BigInt(randomInt(1_000_000)) << 12n) | BigInt(randomInt(4_096));
}

/** Where the checksum stands differs between versions: it is the place where it is right. */
function checksumOffset(control: Buffer): number {
  let offset = shortestControlBytes;
  while (crc32c(control.subarray(0, offset)) !== control.readUInt32LE(offset)) {
    offset += 4;
    assert(offset < longestControlBytes, 'pg_control of the template holds no valid checksum');
  }
  return offset;
}

export async function setSystemIdentifier(dataFolder: string, identifier: bigint): Promise<void> {
  const path = join(dataFolder, 'global/pg_control');
  const control = await readFile(path);
  const offset = checksumOffset(control);
  const former = control.readBigUInt64LE(0);
  control.writeBigUInt64LE(identifier, 0);
  control.writeUInt32LE(crc32c(control.subarray(0, offset)), offset);
  const names = (await readdir(join(dataFolder, 'pg_wal'))).filter((name) => segmentName.test(name));
  assert(names.length > 0, 'a cluster holds at least one segment of the write-ahead log');
  await Promise.all(names.map((name) => patchSegment(join(dataFolder, 'pg_wal', name), former, identifier)));
  await writeFile(path, control);
}

async function patchSegment(path: string, former: bigint, identifier: bigint): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const field = Buffer.alloc(8);
    await file.read(field, 0, 8, segmentIdentifierOffset);
    assert(field.readBigUInt64LE() === former, `${path} belongs to another cluster`);
    field.writeBigUInt64LE(identifier);
    await file.write(field, 0, 8, segmentIdentifierOffset);
  } finally {
    await file.close();
  }
}
