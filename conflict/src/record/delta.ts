/**
 * Turns the plan of an edit into a delta. Dots are issued here, one for each new entry: the actor's last own
 * counter + 1 and on, or above the floor where the state knows none of its own; then the delta also claims all
 * own dots up to the floor, which were collected with an earlier life of the record. The delta's context holds
 * just the dots it writes and those it overwrites, so it can arrive before or without what it did not touch.
 */
import { lastOf } from '../causal/seen.ts';
import { nextStamp } from '../clock/stamp.ts';
import { encodeUtf8, hasLoneSurrogate } from '../codec/utf8.ts';
import { ConflictError, describe } from '../errors.ts';
import type { CounterSlot } from './counter-slot.ts';
import { addToSlot, emptySlot, encodeSlot, isExhausted, readSlot, resetSlot } from './counter-slot.ts';
import type { Dot, Entry } from './decoded.ts';
import { encodeDelta, highestStampOf } from './decoded.ts';
import type { EditPlan, FieldPlan } from './editor.ts';
import { maxActorBytes } from './header.ts';
import { siblingsOf, slotsOf } from './shown.ts';
import { controlBit, counterTag, deleteTag, markTag, registerTag } from './tags.ts';

export interface EditContext {
  /** Who writes: 1 to 64 bytes of UTF-8. One actor's edits of a record follow each other; it never edits two copies at once. */
  readonly actor: string;
  /** Highest counter that the actor may have used in a life of this record that was collected since. */
  readonly floor: number;
  /** Milliseconds since 1970. */
  readonly now: number;
}

interface Added {
  readonly path: string;
  readonly tag: number;
  readonly payload: Uint8Array;
}

const noPayload = new Uint8Array(0);

export class DeltaBuilder {
  private readonly plan: EditPlan;
  private readonly context: EditContext;
  private readonly lastWriterWins: boolean;
  private readonly removed = new Set<Entry>();
  private readonly added: Added[] = [];
  /** Slots of the state that change in place. */
  private readonly slots = new Map<Entry, { slot: CounterSlot; incremented: boolean }>();

  constructor(plan: EditPlan, context: EditContext, lastWriterWins: boolean) {
    checkContext(context);
    this.plan = plan;
    this.context = context;
    this.lastWriterWins = lastWriterWins;
  }

  /** Null where the edit changes nothing. */
  build(): Uint8Array | null {
    if (this.plan.deletes) this.deleteAll();
    for (const [path, plan] of this.plan.fields) this.applyField(path, plan);
    if (this.plan.writes && this.needsMark()) this.writeMark();
    const nothing = this.removed.size + this.added.length + this.slots.size === 0;
    return nothing ? null : this.encode();
  }

  private deleteAll(): void {
    for (const entry of this.plan.before.entries) {
      if (entry.tag === counterTag) this.resetSlot(entry);
      else if ((entry.tag & controlBit) === 0) this.removed.add(entry);
    }
    if (!this.lastWriterWins) return;
    for (const entry of this.plan.before.entries) if (entry.tag === deleteTag) this.removed.add(entry);
    this.added.push({ path: '', tag: deleteTag, payload: noPayload });
  }

  private applyField(path: string, plan: FieldPlan): void {
    if (plan.type === 'count') {
      this.applyCount(path, plan.reset, plan.amount);
      return;
    }
    for (const entry of siblingsOf(this.plan.before.entries, path)) this.removed.add(entry);
    if (plan.type === 'set') this.added.push({ path, tag: registerTag, payload: plan.payload });
  }

  private applyCount(path: string, reset: boolean, amount: number): void {
    const entries = slotsOf(this.plan.before.entries, path);
    if (reset) for (const entry of entries) this.resetSlot(entry);
    if (amount === 0) return;
    const own = entries.filter((entry) => entry.dot.actor === this.context.actor);
    for (const entry of own) {
      const slot = this.currentSlot(entry);
      const larger = isExhausted(slot) ? null : addToSlot(slot, amount);
      if (larger === null) continue;
      this.slots.set(entry, { slot: larger, incremented: true });
      return;
    }
    this.startSlot(path, own, amount);
  }

  /** A new birth. Exhausted own slots go: only their owner could have added what the baseline lacks. */
  private startSlot(path: string, own: readonly Entry[], amount: number): void {
    for (const entry of own.filter((each) => isExhausted(this.currentSlot(each)))) {
      this.slots.delete(entry);
      this.removed.add(entry);
    }
    const slot = addToSlot(emptySlot, amount) ?? emptySlot;
    this.added.push({ path, tag: counterTag, payload: encodeSlot(slot) });
  }

  private currentSlot(entry: Entry): CounterSlot {
    return this.slots.get(entry)?.slot ?? readSlot(entry.payload);
  }

  private resetSlot(entry: Entry): void {
    const slot = readSlot(entry.payload);
    if (!isExhausted(slot)) this.slots.set(entry, { slot: resetSlot(slot), incremented: false });
  }

  private needsMark(): boolean {
    if (!this.plan.life.exists || this.plan.deletes) return true;
    if (this.lastWriterWins) return this.removed.size + this.added.length + this.slots.size > 0;
    if (this.added.length > 0) return false;
    return !this.plan.life.live.some((entry) => this.staysLive(entry));
  }

  private staysLive(entry: Entry): boolean {
    if (entry.tag === counterTag) return !this.removed.has(entry) && !isExhausted(this.currentSlot(entry));
    return !this.removed.has(entry);
  }

  private writeMark(): void {
    for (const entry of this.plan.before.entries) if (entry.tag === markTag) this.removed.add(entry);
    this.added.push({ path: '', tag: markTag, payload: noPayload });
  }

  private encode(): Uint8Array {
    const highest = highestStampOf(this.plan.before.entries);
    const first = nextStamp(highest, this.context.now);
    // What is written after a delete in the same edit stands above that delete.
    const stamp = this.plan.deletes ? nextStamp(first, 0) : first;
    const dots = this.issueDots();
    const fresh = this.added
      .toSorted((left, right) =>
        left.path < right.path ? -1 : left.path > right.path ? 1 : left.tag - right.tag,
      )
      .map((added, index): Entry => {
        const counter = dots.first + index;
        const dot = { actor: this.context.actor, counter };
        return { ...added, dot, stamp: added.tag === deleteTag ? first : stamp };
      });
    const grown = [...this.slots].map(
      ([entry, { slot, incremented }]): Entry => ({
        ...entry,
        payload: encodeSlot(slot),
        stamp: incremented ? stamp : entry.stamp,
      }),
    );
    const entries = [...fresh, ...grown];
    const touched: Dot[] = [...entries, ...this.removed].map((entry) => entry.dot);
    return encodeDelta({ claimed: dots.claimed, dots: touched }, entries);
  }

  private issueDots(): { readonly first: number; readonly claimed: ReadonlyMap<string, number> } {
    const { actor, floor } = this.context;
    const own = this.plan.before.context.get(actor);
    const last = own === undefined ? floor : lastOf(own);
    if (!Number.isSafeInteger(last + this.added.length)) {
      throw new ConflictError('malformed', {
        rule: 'no dots left',
        limit: Number.MAX_SAFE_INTEGER,
        value: last,
      });
    }
    const claims = own === undefined && floor > 0 && this.added.length > 0;
    return { first: last + 1, claimed: claims ? new Map([[actor, floor]]) : new Map() };
  }
}

function checkContext({ actor, floor }: EditContext): void {
  if (!Number.isSafeInteger(floor) || floor < 0) {
    throw new ConflictError('invalid-value', { rule: 'floor is a count', value: describe(floor) });
  }
  if (actor === '' || hasLoneSurrogate(actor) || encodeUtf8(actor).length > maxActorBytes) {
    const rule = 'bytes of an actor, at least 1';
    throw new ConflictError('invalid-value', { rule, limit: maxActorBytes, value: describe(actor) });
  }
}
