/**
 * What a text field does with chunks. An edit adds a small chunk; when there are many, or something was cleared, it
 * replaces what it has seen of these by one. Each actor writes under a client number that is derived from the dot of its first edit of this text, so
 * a text that is created again never meets its old numbers. Splices are checked against the text that the edit has
 * seen, and never split a character.
 */
import { tagText, tagTextClient } from '../codec/format.ts';
import { binaryOfBytes, bytesOf } from '../codec/bytes.ts';
import { hash128 } from '../codec/hash.ts';
import { binaryOf } from '../codec/utf8.ts';
import { varint } from '../codec/varint.ts';
import { ConflictError } from '../errors.ts';
import type { Draft } from '../record/draft.ts';
import { type Entry, stampLength } from '../record/entry.ts';
import { isRemnant, kindRemnant } from '../record/liveness.ts';
import { entriesAt, type Place } from '../record/place.ts';
import { isTextShown, type Splice, type TextEngine } from '../types/text.ts';

/** What understands the bodies of chunks. All functions are pure: equal arguments give equal results. */
export interface ChunkCodec {
  read(chunks: readonly Uint8Array[]): string;
  /** What an edit of the text that the chunks show adds to them; `null` where it is none. */
  splice(chunks: readonly Uint8Array[], edit: (shown: string) => TextEdit | null): Uint8Array | null;
  /** One chunk that says as much as all of them. */
  join(chunks: readonly Uint8Array[]): Uint8Array;
  /** One chunk that deletes everything that the chunks insert. */
  erase(chunks: readonly Uint8Array[]): Uint8Array;
}

/** Splices in ascending order, and the client number under which they are written. */
export interface TextEdit {
  readonly client: number;
  readonly splices: readonly Splice[];
}

const kindLive = '\u0000';
/** Names the encoding of a chunk, and keeps its first byte apart from the stamp. */
const encodingYjs1 = '\u0001';
const mostChunks = 16;
/** Larger chunks stay as they are, so that no delta repeats a long text. */
const longestJoinedBytes = 32 * 1024;

export function textEngine(codec: ChunkCodec): TextEngine {
  return {
    read: (place) => read(place, codec),
    splice: (draft, place, splices) =>
      spliceText(draft, place, { codec, splicesOf: (shown) => checkedSplices(place.label, shown, splices) }),
    put: (draft, place, value) => putText(draft, place, { codec, value }),
    clear: (draft, place) => clearText(draft, place, codec),
  };
}

function read(place: Place, codec: ChunkCodec): string {
  return isTextShown(place) ? codec.read(entriesAt(place, tagText).map(bodyOf)) : '';
}

function bodyOf(chunk: Entry): Uint8Array {
  return bytesOf(chunk.payload.slice(1 + stampLength(chunk.payload, 1) + 1));
}

/**
 * Writes what `splicesOf` makes of the shown text, if anything. Reading a text is most of what an edit of a long one
 * costs, so it is done once.
 */
function spliceText(
  draft: Draft,
  place: Place,
  write: { codec: ChunkCodec; splicesOf: (shown: string) => readonly Splice[] },
): void {
  const { codec, splicesOf } = write;
  const isShown = isTextShown(place);
  if (!isShown) {
    if (splicesOf('').length === 0) return;
    clearText(draft, place, codec);
  }
  const chunks = entriesAt(place, tagText);
  const update = codec.splice(chunks.map(bodyOf), (known) => {
    const splices = splicesOf(isShown ? known : '');
    return splices.length === 0 ? null : { client: clientOf(draft, place), splices };
  });
  if (update === null) return;
  const joined = joinedBy(chunks);
  if (joined.length === 0) return writeChunk(draft, place, { kind: kindLive, body: update });
  draft.supersede(place, joined);
  writeChunk(draft, place, { kind: kindLive, body: codec.join([...joined.map(bodyOf), update]) });
}

/**
 * The chunks that an edit replaces: small ones where there are many or something was cleared, and all that is left of
 * what was cleared. Words are placed beside others, cleared ones too; where these were collected already, the edit has
 * to bring them along.
 */
function joinedBy(chunks: readonly Entry[]): readonly Entry[] {
  const small = chunks.filter((chunk) => chunk.payload.length < longestJoinedBytes);
  if (small.length < mostChunks && !chunks.some(isRemnant)) return [];
  return chunks.filter((chunk) => isRemnant(chunk) || small.includes(chunk));
}

function putText(draft: Draft, place: Place, write: { codec: ChunkCodec; value: unknown }): void {
  const { codec, value } = write;
  if (typeof value !== 'string') throw invalidSplice(place.label, 'string', { value });
  spliceText(draft, place, {
    codec,
    splicesOf: (shown) => checkedSplices(place.label, shown, smallestSplices(shown, value)),
  });
}

/** A text that was never written to, or holds only a remnant, stays as it is. */
function clearText(draft: Draft, place: Place, codec: ChunkCodec): void {
  const chunks = entriesAt(place, tagText);
  if (chunks.every(isRemnant)) return;
  const body = erased(codec, chunks.map(bodyOf));
  draft.supersede(place, chunks);
  if (body !== null) writeChunk(draft, place, { kind: kindRemnant, body });
}

/** `null` where the chunks cannot be read; nobody can build on them then, and they go as a whole. */
function erased(codec: ChunkCodec, bodies: readonly Uint8Array[]): Uint8Array | null {
  try {
    return codec.erase(bodies);
  } catch (reason) {
    if (reason instanceof ConflictError && reason.code === 'malformed') return null;
    throw reason;
  }
}

function writeChunk(draft: Draft, place: Place, chunk: { kind: string; body: Uint8Array }): void {
  const payload = chunk.kind + draft.stampText + encodingYjs1 + binaryOfBytes(chunk.body);
  const sub = varint(draft.nextCounter);
  draft.write(place, { tag: tagText, sub }, payload);
}

/** The number under which the actor writes into this text: 53 bits of a hash of its first dot here. */
function clientOf(draft: Draft, place: Place): number {
  const known = entriesAt(place, tagTextClient).find((entry) => entry.actor === draft.actor);
  const counter = known?.counter ?? draft.nextCounter;
  if (known === undefined) {
    draft.write(place, { tag: tagTextClient, sub: '' }, '');
  }
  const [high, low] = hash128(bytesOf(draft.actor + varint(counter)));
  return (high & 0x1fffff) * 0x100000000 + low;
}

/** Splices in ascending order that lie within the text, do not overlap and split no surrogate pair. */
function checkedSplices(label: string, shown: string, splices: unknown): readonly Splice[] {
  if (!Array.isArray(splices)) throw invalidSplice(label, 'array', { value: splices });
  const checked = Array.from(splices, (splice: unknown) => checkedSplice(label, shown, splice));
  checked.sort((a, b) => a.at - b.at);
  let end = 0;
  for (const splice of checked) {
    if (splice.at < end) throw invalidSplice(label, 'no-overlap', { value: splice.at, limit: end });
    end = splice.at + (splice.delete ?? 0);
  }
  return checked.filter((splice) => (splice.delete ?? 0) > 0 || (splice.insert ?? '') !== '');
}

function checkedSplice(label: string, shown: string, splice: unknown): Splice {
  if (typeof splice !== 'object' || splice === null) throw invalidSplice(label, 'object', { value: splice });
  const {
    at,
    delete: count = 0,
    insert = '',
  } = splice as { at?: unknown; delete?: unknown; insert?: unknown };
  if (typeof insert !== 'string') throw invalidSplice(label, 'insert', { value: insert });
  if (binaryOf(insert) === null) throw invalidSplice(label, 'well-formed-unicode', { value: insert });
  if (!isCount(at)) throw invalidSplice(label, 'at', { value: at });
  if (!isCount(count)) throw invalidSplice(label, 'delete', { value: count });
  if (at + count > shown.length)
    throw invalidSplice(label, 'within-text', { value: at + count, limit: shown.length });
  if (splitsAt(shown, at)) throw invalidSplice(label, 'whole-characters', { value: at });
  if (splitsAt(shown, at + count)) throw invalidSplice(label, 'whole-characters', { value: at + count });
  return { at, delete: count, insert };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

/** Whether a position lies within a character of two units. */
function splitsAt(text: string, at: number): boolean {
  return isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit < 0xdc00;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit < 0xe000;
}

/** The one that makes one text of the other; none where they are equal. */
function smallestSplices(before: string, after: string): readonly Splice[] {
  if (before === after) return [];
  const longest = Math.min(before.length, after.length);
  let start = 0;
  while (start < longest && before.charCodeAt(start) === after.charCodeAt(start)) start++;
  if (start > 0 && isHigh(before.charCodeAt(start - 1))) start--;
  let tail = 0;
  const most = longest - start;
  while (
    tail < most &&
    before.charCodeAt(before.length - 1 - tail) === after.charCodeAt(after.length - 1 - tail)
  ) {
    tail++;
  }
  if (tail > 0 && isLow(before.charCodeAt(before.length - tail))) tail--;
  return [
    {
      at: start,
      delete: before.length - tail - start,
      insert: after.slice(start, after.length - tail),
    },
  ];
}

type SpliceRule = keyof typeof spliceFaults;

/** What to tell, by the rule that was broken. */
const spliceFaults = {
  string: 'a text is given as a string',
  array: 'splices are given as an array',
  object: 'a splice is an object {at, delete, insert}',
  insert: 'what a splice inserts is a string',
  'well-formed-unicode': 'what a splice inserts holds half a character (a lone surrogate)',
  at: 'the position of a splice is a non-negative integer',
  delete: 'what a splice deletes is a number of UTF-16 units, a non-negative integer',
  'within-text': 'a splice reaches beyond the end of the text',
  'whole-characters': 'a splice begins or ends within a character (a surrogate pair)',
  'no-overlap': 'a splice begins within what another one deletes',
} as const;

function invalidSplice(label: string, rule: SpliceRule, found: { value: unknown; limit?: number }) {
  return new ConflictError('invalid-value', spliceFaults[rule], { field: label, rule, ...found });
}
