/**
 * An edit in the making: the record as it was, changed step by step, and what the delta has to say about it. Dots are
 * issued here and nowhere else, one for each entry that is written, contiguous above the actor's last one and above
 * the floor. An actor knows all that it ever wrote, so the delta also claims every own dot below that the record has
 * not seen: they were collected, and others may hand them back. All stamps of one edit are equal and above every stamp
 * in the record. A draft that changed nothing has no delta.
 *
 * The last dot of an edit belongs to no entry. Nobody can overwrite it, so nobody's delta claims it: a context holds it
 * only where the edit's whole delta was joined. That is what lets a merge tell from the contexts alone that a delta
 * brings nothing, also when deltas of several writers arrive out of their causal order.
 */
import { gapsIn, joinSeen, lastOf, type Ranges, rangesOf, seeAll } from '../causal/seen.ts';
import { nextStamp, type Stamp } from '../clock/stamp.ts';
import { tagDeletion, tagMark, tagTextClient } from '../codec/format.ts';
import { exhausted, isExhausted, sumOf, vectorOf, vectorPayload } from '../codec/vector.ts';
import { check } from '../refusal.ts';
import { checkRange } from '../types/amount.ts';
import type { TextEngine } from '../types/text.ts';
import type { DecodedRecord } from './decoded-record.ts';
import { type Entry, type EntryName, highestStamp, isSlot, keyOf, stampText } from './entry.ts';
import { isRemnant, liveEntries } from './liveness.ts';
import { entriesBelow, type Place, treeOf } from './place.ts';
import { isStable } from './stable.ts';

/** Who edits, and when. */
export interface Writer {
  /** Binary string. */
  readonly actor: string;
  readonly floor: number;
  readonly floorMs: number;
  readonly nowMs: number;
  /** What everybody has seen of the record, if that is known. */
  readonly horizon: ReadonlyMap<string, number> | undefined;
}

/** What is the same for all edits of a collection. */
export interface DraftRules {
  /** Bytes that one edit may write, and levels of a value. */
  readonly maxBytes: number;
  readonly maxDepth: number;
  readonly lastWriterWins: boolean;
  readonly text: TextEngine | undefined;
}

/** Whether a mark has to be written, or none because the edit has deleted the record. */
type Mark = 'kept' | 'due' | 'gone';

export class Draft {
  readonly root: Place;
  readonly stamp: Stamp;
  /** Its bytes as a binary string. */
  readonly stampText: string;
  readonly actor: string;
  readonly options: DraftRules;
  /** Everybody has seen what the record has seen, so whatever it builds on is in it. */
  readonly isStable: boolean;
  /** The counter of the dot that the next entry gets. */
  nextCounter: number;
  mark: Mark;
  /** Whether the delta has to be the whole record. */
  isWhole = false;
  readonly #before: DecodedRecord;
  readonly #known: ReadonlySet<Entry>;
  #addedBytes = 0;

  constructor(before: DecodedRecord, writer: Writer, options: DraftRules) {
    const { actor, floor, horizon } = writer;
    this.#before = before;
    this.#known = new Set(before.entries);
    this.options = options;
    this.root = treeOf(before.entries);
    this.mark = this.live.length > 0 ? 'kept' : 'due';
    this.actor = actor;
    this.isStable = horizon !== undefined && isStable(before.context, horizon);
    const last = lastOf(before.context, actor);
    this.nextCounter = checkedCounter(Math.max(last, floor) + 1);
    const floorMs = last > floor ? 0 : writer.floorMs;
    this.stamp = nextStamp(writer.nowMs, laterOf(highestStamp(before.entries), floorMs));
    this.stampText = stampText(this.stamp);
  }

  /** Whether the edit holds more than marks and what deletes and clears leave behind. */
  get adds(): boolean {
    return this.#addedBytes > 0;
  }

  get changed(): boolean {
    const now = entriesBelow(this.root);
    return this.#written(now).length > 0 || this.#superseded(now).length > 0;
  }

  /** The entries that make the record as it is now. */
  get live(): readonly Entry[] {
    return liveEntries(entriesBelow(this.root));
  }

  #written(now: readonly Entry[]): readonly Entry[] {
    return now.filter((entry) => !this.#known.has(entry));
  }

  /** A slot needs no dot to go: the later birth replaces it wherever they meet. */
  #superseded(now: readonly Entry[]): readonly Entry[] {
    const left = new Set(now);
    return this.#before.entries.filter((entry) => !left.has(entry) && !isSlot(entry));
  }

  /** Writes an entry under a new dot. */
  write(place: Place, name: EntryName, payload: Uint8Array): void {
    const counter = this.nextCounter;
    this.nextCounter = checkedCounter(counter + 1);
    const { path } = place;
    const { tag, sub } = name;
    // In the order of an entry that was read, so that an engine has one kind of entry.
    const entry = { key: keyOf(path, name), path, tag, sub, actor: this.actor, counter, payload };
    place.entries.push(entry);
    this.#add(addedBy(entry));
  }

  /** Stops an edit of many entries early; the exact size is known only when it is encoded. */
  #add(byteCount: number): void {
    this.#addedBytes += byteCount;
    const limit = this.options.maxBytes;
    check(this.#addedBytes <= limit, 'too-large', { rule: 'delta-bytes', limit });
  }

  /** Takes entries of one place out of the record, as seen. */
  supersede(place: Place, gone: readonly Entry[]): void {
    const set = new Set(gone);
    place.entries = place.entries.filter((entry) => !set.has(entry));
    for (const entry of gone) if (!this.#known.has(entry)) this.#addedBytes -= addedBy(entry);
  }

  /** Gives a slot greater numbers under the birth that it has. */
  raise(place: Place, slot: Entry, vector: readonly number[]): void {
    const known = vectorOf(slot.payload);
    if (!vector.some((value, index) => value > (known[index] ?? 0))) return;
    for (const value of vector) checkRange(place, value, value);
    place.entries[place.entries.indexOf(slot)] = { ...slot, payload: vectorPayload(vector) };
  }

  /**
   * Adds to the actor's own slot. A slot that others have reset completely is not continued: the numbers start again
   * under a new birth, so that the old baseline is forgotten.
   */
  addToSlot(place: Place, name: EntryName, amounts: readonly number[]): void {
    if (!amounts.some((amount) => amount > 0)) return;
    const key = keyOf(place.path, name);
    const slot = place.entries.find((entry) => entry.key === key && entry.actor === this.actor);
    const vector = slot === undefined ? [] : vectorOf(slot.payload);
    const isOpen = !isExhausted(vector);
    const sum = sumOf(isOpen ? vector : [], amounts);
    for (const [index, value] of sum.entries()) checkRange(place, value, amounts[index] ?? 0);
    if (slot !== undefined && isOpen) {
      this.#add(addedBy(slot));
      return this.raise(place, slot, sum);
    }
    place.entries = place.entries.filter((entry) => entry !== slot);
    this.write(place, name, vectorPayload(sum));
  }

  /** Forgets these entries of a place and nothing else: slots get their baselines, all others are superseded. */
  reset(place: Place, seen: readonly Entry[]): void {
    this.supersede(
      place,
      seen.filter((entry) => !isSlot(entry)),
    );
    for (const slot of seen) if (isSlot(slot)) this.raise(place, slot, exhausted(vectorOf(slot.payload)));
  }

  /**
   * The delta: what was written, and everything that it has seen go. A whole one has the record after the edit, and all
   * that the record has seen.
   */
  delta(): DecodedRecord {
    const { minor, context: before } = this.#before;
    const own = gapsIn(rangesOf(before, this.actor), this.nextCounter++);
    const context = new Map<string, Ranges>([[this.actor, own]]);
    const entries = entriesBelow(this.root);
    const written = this.#written(entries);
    seeAll(context, written.concat(this.#superseded(entries)));
    if (!this.isWhole) return { minor, context, entries: written };
    return { minor, context: joinSeen(context, before), entries };
  }
}

/** The later of a stamp and of the last one in the millisecond of a floor, if there is a floor. */
function laterOf(stamp: Stamp | null, floorMs: number): Stamp | null {
  return floorMs > 0 && floorMs >= (stamp?.ms ?? 0) ? { ms: floorMs, logical: 0xffff } : stamp;
}

/** Bytes of the user's; what tells of existence, and what is left of a text, is written also by who only takes away. */
function addedBy(entry: Entry): number {
  const { key, tag, payload } = entry;
  const isOwn = tag === tagMark || tag === tagDeletion || tag === tagTextClient || isRemnant(entry);
  return isOwn ? 0 : key.length + payload.length;
}

/** A counter that may still be issued. Only forged contexts and floors come near the end. */
function checkedCounter(counter: number): number {
  const limit = Number.MAX_SAFE_INTEGER;
  check(counter <= limit, 'counter-out-of-range', { rule: 'dot', limit, value: counter });
  return counter;
}
