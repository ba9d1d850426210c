/**
 * Rows as the server writes them in the binary format of COPY. `pg` reads every other answer as text, which would
 * double what bytes cost on the link. Each row comes whole in one message; the first message begins with a header, the
 * last one is a trailer. Everything that is handed out is copied, because `pg` reads the next message into the same
 * memory. Bytes that are no such rows end in `malformed-record`, and so does more of them than any answer of a log holds,
 * because whoever sends them may never come to an end (I12).
 */
import { malformed } from '../../bytes.ts';

/** `null` is SQL's. */
export type CopyRow = readonly (Buffer | null)[];

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
const headerBytes = signature.length + 8;
/** Several times what `read_log` gives: a MiB and then the record that passes it, in ten thousand rows at most. */
export const maxCopyBytes = 16 * 1024 * 1024;
/** Of a row in memory, and of each of its columns. */
const rowOverheadBytes = 64;
const columnOverheadBytes = 96;
const nullLength = -1;
const trailer = -1;

export class CopyRows {
  readonly #rows: CopyRow[] = [];
  #begun = false;
  #sizeBytes = 0;

  get rows(): readonly CopyRow[] {
    return this.#rows;
  }

  /** Takes one message. */
  take(message: Buffer): void {
    let offset = this.#begun ? 0 : this.#skipHeader(message);
    this.#begun = true;
    while (offset < message.length) offset = this.#takeRow(message, offset);
  }

  #skipHeader(message: Buffer): number {
    const isHeader = message.length >= headerBytes && message.indexOf(signature) === 0;
    if (!isHeader) throw malformed('an answer that does not begin as a binary copy');
    return headerBytes + message.readUInt32BE(headerBytes - 4);
  }

  #takeRow(message: Buffer, start: number): number {
    const columnCount = readInt(message, start, 2);
    let offset = start + 2;
    if (columnCount === trailer) return offset;
    if (columnCount < 0) throw malformed(`a row of ${columnCount} columns`);
    this.#count(rowOverheadBytes);
    const row: (Buffer | null)[] = [];
    for (let column = 0; column < columnCount; column++) {
      const length = readInt(message, offset, 4);
      offset += 4;
      this.#count(columnOverheadBytes + Math.max(0, length));
      if (length === nullLength) {
        row.push(null);
        continue;
      }
      if (length < 0 || offset + length > message.length)
        throw malformed(`a column of ${length} bytes where ${message.length - offset} are left`);
      row.push(Buffer.from(message.subarray(offset, offset + length)));
      offset += length;
    }
    this.#rows.push(row);
    return offset;
  }

  #count(sizeBytes: number): void {
    this.#sizeBytes += sizeBytes;
    if (this.#sizeBytes > maxCopyBytes) throw malformed(`an answer of more than ${maxCopyBytes} bytes`);
  }
}

function readInt(message: Buffer, offset: number, byteCount: 2 | 4): number {
  if (offset + byteCount > message.length) throw malformed('a row that ends too early');
  return message.readIntBE(offset, byteCount);
}
