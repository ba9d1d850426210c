/**
 * One edit of one record in the making. It issues dots and one stamp, remembers what it overwrites, and ends as a
 * delta: what it wrote, and a context that claims exactly the dots that it wrote and the dots that it removed. The new
 * state is the join of the old one with that delta, so an edit and its delivery elsewhere cannot differ.
 */
import { CausalContext } from '../causal/context.ts';
import type { Dot } from '../causal/context.ts';
import { seenOf } from '../causal/seen.ts';
import { nextStamp } from '../clock/stamp.ts';
import type { Stamp } from '../clock/stamp.ts';
import { joinRecords } from './join.ts';
import { compareEntries, highestStampOf, kinds } from './record.ts';
import type { Entry, RecordParts } from './record.ts';

export interface EditContext {
  /** Who writes: 1 to 64 bytes of UTF-8, never shared by two databases. */
  readonly actor: string;
  /** Highest own counter that may have been forgotten; a record without own dots goes on above it. */
  readonly floor: number;
  /** Wall clock, milliseconds since 1970. */
  readonly now: number;
}

const noPayload = new Uint8Array(0);

export class RecordDraft {
  readonly #before: RecordParts;
  readonly #actor: string;
  readonly #stamp: Stamp;
  readonly #claimed = new CausalContext();
  readonly #written = new Map<string, Entry>();
  #lastCounter: number;
  #isChanged = false;

  constructor(before: RecordParts, { actor, floor, now }: EditContext) {
    this.#before = before;
    this.#actor = actor;
    this.#stamp = nextStamp(highestStampOf(before.entries), now);
    const last = before.context.last(actor);
    this.#lastCounter = last === 0 ? floor : last;
    if (last === 0) this.#claimed.join(actor, seenOf(floor, []));
  }

  /** The record as this edit leaves it. */
  get parts(): RecordParts {
    return joinRecords(this.#before, this.delta);
  }

  get delta(): RecordParts {
    return { context: this.#claimed, entries: [...this.#written.values()].toSorted(compareEntries) };
  }

  get isChanged(): boolean {
    return this.#isChanged;
  }

  entries(field: string, kind: number): readonly Entry[] {
    return this.parts.entries.filter((entry) => entry.field === field && entry.kind === kind);
  }

  /** Overwrites what is there of this field and kind. */
  write(field: string, kind: number, payload: Uint8Array = noPayload): void {
    this.remove(this.entries(field, kind));
    const dot = { actor: this.#actor, counter: ++this.#lastCounter };
    this.#claimed.add(dot);
    this.#put({ field, kind, dot, stamp: this.#stamp, payload });
  }

  remove(entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#claimed.add(entry.dot);
      this.#written.delete(nameOf(entry));
      this.#isChanged = true;
    }
  }

  /** The own slot of a counter; `null` payload before the first increment. */
  ownSlot(field: string): Entry | null {
    return this.entries(field, kinds.counter).find((entry) => entry.dot.actor === this.#actor) ?? null;
  }

  writeSlot(field: string, own: Entry | null, payload: Uint8Array): void {
    const dot = own?.dot ?? { actor: this.#actor, counter: ++this.#lastCounter };
    this.changeSlot({ field, kind: kinds.counter, dot, payload, stamp: this.#stamp });
  }

  /** Takes over a slot, also of another actor, with a new payload. */
  changeSlot(slot: Entry): void {
    this.#claimed.add(slot.dot);
    this.#put(slot);
  }

  #put(entry: Entry): void {
    this.#written.set(nameOf(entry), entry);
    this.#isChanged = true;
  }
}

function nameOf({ field, kind, dot }: { field: string; kind: number; dot: Dot }): string {
  return JSON.stringify([field, kind, dot.actor, dot.counter]);
}
