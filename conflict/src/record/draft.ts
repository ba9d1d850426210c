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
import { gapsIn, joinSeen, lastOf, type Ranges, rangesOf, see, seeAll } from '../causal/seen.ts';
import { nextStamp, type Stamp } from '../clock/stamp.ts';
import { tagDeletion, tagMark, tagTextClient } from '../codec/format.ts';
import {
  hasRest,
  isExhausted,
  restOf,
  sumOf,
  type Vector,
  vectorOf,
  vectorPayload,
} from '../codec/vector.ts';
import { check } from '../refusal.ts';
import { checkRange } from '../types/amount.ts';
import type { TextEngine } from '../types/text.ts';
import type { DecodedRecord } from './decoded-record.ts';
import { type Entry, type EntryName, highestStamp, isSlot, keyOf, stampText } from './entry.ts';
import { isRemnant, liveEntries } from './liveness.ts';
import { entriesBelow, type Place, treeOf } from './place.ts';
import { without } from './without.ts';
import type { Limits } from './schema.ts';
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
  readonly limits: Limits;
  readonly lastWriterWins: boolean;
  readonly text: TextEngine | undefined;
}

/** Whether a mark has to be written, or none because the edit has deleted the record. */
type Mark = 'kept' | 'due' | 'gone';

export class Draft {
  readonly root: Place;
  /** The bytes of the edit's stamp as a binary string. */
  readonly stampText: string;
  readonly actor: string;
  readonly options: DraftRules;
  /** Everybody has seen what the record has seen, so whatever it builds on is in it. */
  readonly isStable: boolean;
  mark: Mark;
  /** Whether the delta has to be the whole record. */
  isWhole = false;
  /** Whether the edit has written anything besides marks and what deletes and clears leave behind. */
  adds = false;
  readonly #before: DecodedRecord;
  #nextCounter: number;

  constructor(before: DecodedRecord, writer: Writer, options: DraftRules) {
    const { context, entries } = before;
    const { actor, floor, horizon } = writer;
    const last = lastOf(context, actor);
    const floorMs = last > floor ? 0 : writer.floorMs;
    this.#before = before;
    this.options = options;
    this.actor = actor;
    this.root = treeOf(entries);
    this.mark = liveEntries(entries).length > 0 ? 'kept' : 'due';
    this.isStable = horizon !== undefined && isStable(context, horizon);
    this.#nextCounter = Math.max(last, floor) + 1;
    this.stampText = stampText(nextStamp(writer.nowMs, laterOf(highestStamp(entries), floorMs)));
  }

  /** The entries that make the record as it is now. */
  get live(): readonly Entry[] {
    return liveEntries(entriesBelow(this.root));
  }

  /** The counter of the dot that the next entry gets. Only forged contexts and floors come near the end. */
  get nextCounter(): number {
    const value = this.#nextCounter;
    const limit = Number.MAX_SAFE_INTEGER;
    check(value <= limit, 'counter-out-of-range', { rule: 'dot', limit, value });
    return value;
  }

  /** Writes an entry under a new dot beside what is at its key. */
  write(place: Place, name: EntryName, payload: string): void {
    place.entries.push(this.#entryOf(place, name, payload));
  }

  #entryOf({ path }: Place, name: EntryName, payload: string): Entry {
    const { actor, nextCounter: counter } = this;
    const { tag, sub } = name;
    // In the order of an entry that was read, so that an engine has one kind of entry.
    const entry = { key: keyOf(path, name), path, tag, sub, actor, counter, payload };
    this.#nextCounter++;
    this.adds ||= isAdded(entry);
    return entry;
  }

  /** Takes entries of one place out of the record, as seen. */
  supersede(place: Place, gone: readonly Entry[]): void {
    place.found = without(place.entries, gone);
  }

  /** Takes what a place has under a name, and writes the payload, if there is one, in its place. */
  overwrite(place: Place, name: EntryName, payload: string | null): void {
    place.due ??= new Map();
    place.due.set(keyOf(place.path, name), payload === null ? null : this.#entryOf(place, name, payload));
  }

  /** Adds to the numbers of a slot under the birth that it has. */
  raiseSlot(place: Place, slot: Entry, amounts: Vector): void {
    if (!hasRest(amounts)) return;
    const vector = sumOf(vectorOf(slot.payload), amounts);
    for (const [index, value] of vector.entries()) checkRange(place, value, amounts[index] ?? 0);
    place.entries[place.entries.indexOf(slot)] = { ...slot, payload: vectorPayload(vector) };
  }

  /**
   * Adds to the actor's own slot. A slot that others have reset completely is not continued: the numbers start again
   * under a new birth, so that the old baseline is forgotten.
   */
  addToSlot(place: Place, name: EntryName, amounts: Vector): void {
    if (!hasRest(amounts)) return;
    this.adds = true;
    const key = keyOf(place.path, name);
    const slot = place.entries.find((entry) => entry.key === key && entry.actor === this.actor);
    if (slot !== undefined) {
      if (!isExhausted(vectorOf(slot.payload))) return this.raiseSlot(place, slot, amounts);
      this.supersede(place, [slot]);
    }
    this.write(place, name, vectorPayload(amounts));
  }

  /** Forgets these entries of a place and nothing else: slots get their baselines, all others are superseded. */
  reset(place: Place, seen: readonly Entry[]): void {
    this.supersede(
      place,
      seen.filter((entry) => !isSlot(entry)),
    );
    for (const slot of seen) if (isSlot(slot)) this.raiseSlot(place, slot, restOf(vectorOf(slot.payload)));
  }

  /**
   * The delta: what was written, and everything that it has seen go; `null` where nothing changed. A whole one has the
   * record after the edit, and all that the record has seen.
   */
  delta(): DecodedRecord | null {
    const { minor, context: before, entries } = this.#before;
    const now = entriesBelow(this.root);
    const left = new Set(entries);
    const written = now.filter((entry) => !left.delete(entry));
    // A slot only gives way to a later birth.
    const gone = [...left].filter((entry) => !isSlot(entry));
    if (written.length + gone.length === 0) return null;
    const context = new Map<string, Ranges>();
    see(context, this.actor, gapsIn(rangesOf(before, this.actor), this.nextCounter));
    seeAll(context, [...written, ...gone]);
    if (!this.isWhole) return { minor, context, entries: written };
    return { minor, context: joinSeen(context, before), entries: now };
  }
}

/** The later of a stamp and of the last one in the millisecond of a floor, if there is a floor. */
function laterOf(stamp: Stamp | null, floorMs: number): Stamp | null {
  return floorMs > 0 && floorMs >= (stamp?.ms ?? 0) ? { ms: floorMs, logical: 0xffff } : stamp;
}

/** What tells of existence, and what is left of a text, is written also by who only takes away. */
function isAdded(entry: Entry): boolean {
  const { tag } = entry;
  return tag !== tagMark && tag !== tagDeletion && tag !== tagTextClient && !isRemnant(entry);
}
