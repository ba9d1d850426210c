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
import { CausalContext } from '../causal/causal-context.ts';
import type { VersionVector } from '../causal/version-vector.ts';
import { nextStamp, type Stamp } from '../clock/stamp.ts';
import { tagDeletion, tagMark, tagTextClient } from '../codec/format.ts';
import { exhausted, isExhausted, vectorOf, vectorPayload } from '../codec/vector.ts';
import { ConflictError } from '../errors.ts';
import type { DecodedRecord } from './decoded-record.ts';
import { type Entry, type EntryName, highestStamp, isSlot, keyOf } from './entry.ts';
import { entriesBelow, type FieldNode, nodeAt, treeOf } from './field-tree.ts';
import { isRemnant } from './liveness.ts';
import { isStable } from './stable.ts';

export interface DraftOptions {
  /** Binary string. */
  readonly actor: string;
  readonly floor: number;
  readonly floorMs: number;
  readonly nowMs: number;
  /** What everybody has seen of the record, if that is known. */
  readonly horizon: VersionVector | undefined;
  /** Bytes that one edit may write. */
  readonly maxBytes: number;
}

export class Draft {
  readonly root: FieldNode;
  readonly stamp: Stamp;
  readonly actor: string;
  /** Everybody has seen what the record has seen, so whatever it builds on is in it. */
  readonly isStable: boolean;
  readonly #before: DecodedRecord;
  #nextCounter: number;
  readonly #written = new Set<Entry>();
  readonly #superseded: Entry[] = [];
  readonly #maxBytes: number;
  #addedBytes = 0;

  constructor(before: DecodedRecord, options: DraftOptions) {
    this.#before = before;
    this.root = treeOf(before.entries);
    this.actor = options.actor;
    this.isStable = options.horizon !== undefined && isStable(before.context, options.horizon);
    this.#maxBytes = options.maxBytes;
    const last = before.context.last(options.actor);
    this.#nextCounter = checkedCounter(Math.max(last, options.floor) + 1);
    const floorMs = last > options.floor ? 0 : options.floorMs;
    this.stamp = nextStamp(options.nowMs, laterOf(highestStamp(before.entries), floorMs));
  }

  /** The counter of the dot that the next entry gets. */
  get nextCounter(): number {
    return this.#nextCounter;
  }

  /** Whether the edit holds more than marks and what deletes and clears leave behind. */
  get adds(): boolean {
    return this.#addedBytes > 0;
  }

  get changed(): boolean {
    return this.#written.size > 0 || this.#superseded.length > 0;
  }

  entries(): readonly Entry[] {
    return entriesBelow(this.root);
  }

  /** Writes an entry under a new dot. */
  write(name: EntryName, payload: Uint8Array): void {
    const counter = this.#nextCounter;
    this.#nextCounter = checkedCounter(counter + 1);
    const { path, tag, sub } = name;
    // In the order of an entry that was read, so that an engine has one kind of entry.
    const entry = { key: keyOf(name), path, tag, sub, actor: this.actor, counter, payload };
    nodeAt(this.root, path).entries.push(entry);
    this.#written.add(entry);
    this.#addedBytes += addedBy(entry);
    // Stops an edit of many entries early; the exact size is known only when it is encoded.
    if (this.#addedBytes > this.#maxBytes) throw tooLarge(this.#maxBytes);
  }

  /** Takes entries of one node out of the record, as seen. */
  supersede(node: FieldNode, gone: readonly Entry[]): void {
    if (gone.length === 0) return;
    const set = gone.length === node.entries.length ? null : new Set(gone);
    node.entries = set === null ? [] : node.entries.filter((entry) => !set.has(entry));
    for (const entry of gone) {
      if (this.#written.delete(entry)) this.#addedBytes -= addedBy(entry);
      else this.#superseded.push(entry);
    }
  }

  /** Gives a slot other numbers under the birth that it has. */
  raise(node: FieldNode, slot: Entry, vector: readonly number[]): void {
    const raised = { ...slot, payload: vectorPayload(vector) };
    node.entries[node.entries.indexOf(slot)] = raised;
    this.#written.delete(slot);
    this.#written.add(raised);
  }

  /**
   * Adds to the actor's own slot. A slot that others have reset completely is not continued: the numbers start again
   * under a new birth, so that the old baseline is forgotten.
   */
  addToSlot(node: FieldNode, name: EntryName, amounts: readonly number[]): void {
    const key = keyOf(name);
    const slot = node.entries.find((entry) => entry.key === key && entry.actor === this.actor);
    const vector = slot === undefined ? [] : vectorOf(slot.payload);
    if (slot !== undefined && !isExhausted(vector)) {
      this.#addedBytes += addedBy(slot);
      return this.raise(node, slot, sum(vector, amounts));
    }
    if (slot !== undefined) this.#drop(node, slot);
    this.write(name, vectorPayload(sum([], amounts)));
  }

  /** A slot needs no dot to go: the later birth replaces it wherever they meet. */
  #drop(node: FieldNode, slot: Entry): void {
    node.entries = node.entries.filter((entry) => entry !== slot);
    this.#written.delete(slot);
  }

  /** Forgets these entries of a node and nothing else: slots get their baselines, all others are superseded. */
  reset(node: FieldNode, seen: readonly Entry[]): void {
    this.supersede(
      node,
      seen.filter((entry) => !isSlot(entry)),
    );
    for (const slot of seen) {
      if (!isSlot(slot)) continue;
      const vector = vectorOf(slot.payload);
      if (!isExhausted(vector)) this.raise(node, slot, exhausted(vector));
    }
  }

  /** The delta: what was written, and everything that it has seen go. */
  delta(): DecodedRecord {
    const lastCounter = this.#nextCounter++;
    const context = new CausalContext();
    this.#claimOwn(context, lastCounter);
    context.addAll(this.#superseded);
    context.addAll(this.#written);
    return { minor: this.#before.minor, context, entries: [...this.#written] };
  }

  #claimOwn(context: CausalContext, lastCounter: number): void {
    const { max, runs } = this.#before.context.seenOf(this.actor);
    let unseen = max + 1;
    for (let index = 0; index < runs.length; index += 2) {
      context.addRun(this.actor, unseen, (runs[index] ?? 0) - 1);
      unseen = (runs[index + 1] ?? 0) + 1;
    }
    context.addRun(this.actor, unseen, lastCounter);
  }

  /** The whole record after the edit, as a delta that claims all that the record has seen. */
  whole(): DecodedRecord {
    const { context } = this.delta();
    context.merge(this.#before.context);
    return { minor: this.#before.minor, context, entries: this.entries() };
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

function tooLarge(limit: number): ConflictError {
  const message = `the edit writes more than the limit of ${limit} bytes`;
  return new ConflictError('too-large', message, { rule: 'delta-bytes', limit });
}

/** A counter that may still be issued. Only forged contexts and floors come near the end. */
function checkedCounter(counter: number): number {
  if (Number.isSafeInteger(counter)) return counter;
  const message = 'the actor has no dots left in this record';
  const limit = Number.MAX_SAFE_INTEGER;
  throw new ConflictError('counter-out-of-range', message, { rule: 'dot', limit, value: counter });
}

function sum(vector: readonly number[], amounts: readonly number[]): readonly number[] {
  const result: number[] = [];
  for (let index = 0; index < Math.max(vector.length, amounts.length); index++) {
    result.push((vector[index] ?? 0) + (amounts[index] ?? 0));
  }
  return result;
}
