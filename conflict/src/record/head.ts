/**
 * The head of a state as the merge reads it: where each actor's name lies, and which dots of it were seen, in typed
 * arrays that are used again for every merge. Nothing is copied out of the bytes. Every bound is checked, because the
 * bytes may be anybody's; the arrays grow with the bytes that were really there, never with a count that they claim.
 */
import { ConflictError, malformed } from '../errors.ts';
import { formatMajor, longestActorBytes } from '../codec/format.ts';

/** Where the last `varintAt` ended. */
export const cursor = { end: 0 };

/** The integer at `offset`, which must end before `limit`; leaves its end in `cursor`. */
export function varintAt(bytes: Uint8Array, offset: number, limit: number): number {
  if (offset >= limit) throw malformed('truncated');
  const first = bytes[offset] ?? 0;
  if (first < 0x80) {
    cursor.end = offset + 1;
    return first;
  }
  const second = offset + 1 < limit ? (bytes[offset + 1] ?? 0) : 0;
  if (second > 0 && second < 0x80) {
    cursor.end = offset + 2;
    return (first & 0x7f) | (second << 7);
  }
  return longVarintAt(bytes, offset, limit);
}

function longVarintAt(bytes: Uint8Array, offset: number, limit: number): number {
  let value = 0;
  let scale = 1;
  const last = Math.min(limit, offset + 8);
  for (let index = offset; index < last; index++) {
    const byte = bytes[index] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      if (byte === 0 || value > Number.MAX_SAFE_INTEGER) break;
      cursor.end = index + 1;
      return value;
    }
    scale *= 0x80;
  }
  throw malformed('integer');
}

export class Head {
  bytes: Uint8Array = new Uint8Array(0);
  minor = 0;
  actorCount = 0;
  entriesStart = 0;
  /** First byte of the actor's name, its length, and where the part about the actor ends. */
  nameStart = new Int32Array(16);
  nameLength = new Int32Array(16);
  actorEnd = new Int32Array(16);
  max = new Float64Array(16);
  /** No dot of the actor outside these bounds was seen. */
  lowest = new Float64Array(16);
  highest = new Float64Array(16);
  /** The runs of actor `i` are the pairs from `runsStart[i]` to `runsStart[i + 1]`. */
  runsStart = new Int32Array(17);
  runs = new Float64Array(32);

  read(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.minor = 0;
    this.actorCount = 0;
    this.entriesStart = 0;
    if (bytes.length === 0) return;
    this.minor = minorOf(bytes[0] ?? 0);
    const count = varintAt(bytes, 1, bytes.length);
    if (count === 0 || count * 3 > bytes.length) throw malformed('count');
    this.#reserveActors(count);
    let offset = cursor.end;
    for (let index = 0; index < count; index++) offset = this.#readActor(index, offset);
    this.actorCount = count;
    this.entriesStart = offset;
  }

  #readActor(index: number, offset: number): number {
    const bytes = this.bytes;
    const length = bytes[offset] ?? 0;
    const nameEnd = offset + 1 + length;
    if (length === 0 || length > longestActorBytes || nameEnd > bytes.length) throw malformed('actor');
    this.nameStart[index] = offset + 1;
    this.nameLength[index] = length;
    if (index > 0 && this.compare(index - 1, this, index) >= 0) {
      throw malformed('actors out of order');
    }
    const max = varintAt(bytes, nameEnd, bytes.length);
    this.max[index] = max;
    const runCount = varintAt(bytes, cursor.end, bytes.length);
    this.lowest[index] = 1;
    this.highest[index] = max;
    if (runCount > 0) this.#readRuns(index, runCount);
    else this.runsStart[index + 1] = this.runsStart[index] ?? 0;
    this.actorEnd[index] = cursor.end;
    return cursor.end;
  }

  #readRuns(index: number, runCount: number): void {
    const bytes = this.bytes;
    if (cursor.end + 2 * runCount > bytes.length) throw malformed('count');
    let at = this.runsStart[index] ?? 0;
    this.#reserveRuns(at + 2 * runCount);
    let last = this.max[index] ?? 0;
    for (let run = 0; run < runCount; run++) {
      const low = last + 2 + varintAt(bytes, cursor.end, bytes.length);
      last = low + varintAt(bytes, cursor.end, bytes.length);
      if (last > Number.MAX_SAFE_INTEGER) throw malformed('counter');
      this.runs[at++] = low;
      this.runs[at++] = last;
    }
    if (this.max[index] === 0) this.lowest[index] = this.runs[at - 2 * runCount] ?? 1;
    this.highest[index] = last;
    this.runsStart[index + 1] = at;
  }

  /** Order of the actor at `index` and one of another head, as bytes. */
  compare(index: number, other: Head, otherIndex: number): number {
    const startA = this.nameStart[index] ?? 0;
    const startB = other.nameStart[otherIndex] ?? 0;
    const lengthA = this.nameLength[index] ?? 0;
    const lengthB = other.nameLength[otherIndex] ?? 0;
    const shared = lengthA < lengthB ? lengthA : lengthB;
    const a = this.bytes;
    const b = other.bytes;
    for (let offset = 0; offset < shared; offset++) {
      const difference = (a[startA + offset] ?? 0) - (b[startB + offset] ?? 0);
      if (difference !== 0) return difference;
    }
    return lengthA - lengthB;
  }

  /** Whether the dot (actor at `index`, `counter`) was seen. */
  has(index: number, counter: number): boolean {
    if (counter <= (this.max[index] ?? 0)) return true;
    const start = this.runsStart[index] ?? 0;
    const end = this.runsStart[index + 1] ?? 0;
    if (start === end || counter < (this.runs[start] ?? 0)) return false;
    return counter >= (this.runs[this.runFrom(start, end, counter)] ?? Infinity);
  }

  /** First run between `start` and `end` that does not end below `counter`; `end` where there is none. */
  runFrom(start: number, end: number, counter: number): number {
    let low = start >> 1;
    let high = end >> 1;
    if ((this.runs[end - 1] ?? 0) < counter) return this.runs.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.runs[2 * middle + 1] ?? 0) < counter) low = middle + 1;
      else high = middle;
    }
    return 2 * low;
  }

  #reserveActors(count: number): void {
    if (count <= this.max.length) return;
    const size = 2 * count;
    this.nameStart = new Int32Array(size);
    this.nameLength = new Int32Array(size);
    this.actorEnd = new Int32Array(size);
    this.max = new Float64Array(size);
    this.lowest = new Float64Array(size);
    this.highest = new Float64Array(size);
    this.runsStart = new Int32Array(size + 1);
  }

  #reserveRuns(size: number): void {
    if (size <= this.runs.length) return;
    const grown = new Float64Array(2 * size);
    grown.set(this.runs);
    this.runs = grown;
  }
}

function minorOf(version: number): number {
  const major = version >> 4;
  if (major === formatMajor) return version & 0x0f;
  if (major < formatMajor) throw malformed('version');
  throw new ConflictError(
    'newer-format',
    `the bytes have format ${major}, this version knows ${formatMajor}`,
    {
      rule: 'format-version',
      limit: formatMajor,
      value: major,
    },
  );
}
