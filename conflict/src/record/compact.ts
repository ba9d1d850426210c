/**
 * What deletes, clears and removals leave behind is there for writes that have not seen them. Once everybody has seen
 * all that a state has seen, and nothing older is under way, it can go: slots without a rest, remnants of texts,
 * deletions and what they hide, and what is known of retired actors; removals go with the record. What the record
 * shows stays the same, and replicas need not collect at one time: what one has collected takes nothing from what it
 * writes afterwards, wherever it arrives. That is why a removal stays as long as the record lives; else an addition
 * could not say that it has seen it.
 */
import type { VersionVector } from '../causal/version-vector.ts';
import { CausalContext } from '../causal/causal-context.ts';
import { tagMoved, tagRights, tagText, tagTextClient } from '../codec/format.ts';
import { textOf } from '../codec/utf8.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { decode, type DecodedRecord, encode } from './decoded-record.ts';
import { type Entry, isSlot, latestDeletion } from './entry.ts';
import { isHidden, isRemoval, liveEntries } from './liveness.ts';

/**
 * Returns the state itself where the horizon is not exactly what it has seen, or nothing can go. A state of which
 * nothing is left keeps its context; it is for the caller to drop the record and raise the floor above it. `horizon`
 * holds counters of this record by actor; `retired` names actors that will never write again. Throws `malformed` or
 * `newer-format`.
 */
export function compact(
  state: Uint8Array,
  horizon: VersionVector,
  retired: ReadonlySet<string> = new Set(),
): Uint8Array {
  const record = decode(state);
  if (!isExactly(record.context, horizon)) return state;
  const entries = kept(record.entries);
  const compacted = encode({
    minor: record.minor,
    entries,
    context: withoutRetired(record, entries, retired),
  });
  return compacted.length === state.length ? state : compacted;
}

function isExactly(context: CausalContext, horizon: VersionVector): boolean {
  const actors = [...context.actors()];
  return (
    actors.length === horizon.entries().length &&
    actors.every((actor) => {
      const { max, runs } = context.seenOf(actor);
      return runs.length === 0 && horizon.get(textOf(actor)) === max;
    })
  );
}

function kept(entries: readonly Entry[]): readonly Entry[] {
  const live = new Set(liveEntries(entries));
  const deletion = latestDeletion(entries);
  const texts = new Set([...live].filter((entry) => entry.tag === tagText).map((entry) => entry.path));
  const accounts = new Set(entries.filter(isOpenAccount).map((entry) => entry.path));
  const left = entries.filter((entry) => {
    if (live.has(entry)) return true;
    if (isAccount(entry)) return accounts.has(entry.path);
    if (entry.tag === tagText || entry.tag === tagTextClient) return texts.has(entry.path);
    if (isSlot(entry)) return !isExhausted(vectorOf(entry.payload));
    return live.size > 0 && isRemoval(entry) && !isHidden(entry, deletion);
  });
  if (live.size > 0) return left;
  // Without the deletion, slots that it has not seen would bring the record back, and a later write might be stamped
  // below what others still hold.
  return entries.filter((entry) => entry === deletion || left.includes(entry));
}

function isAccount({ tag }: Entry): boolean {
  return tag === tagRights || tag === tagMoved;
}

/** The slots of a bounded counter explain each other's debts, so they go together or not at all. */
function isOpenAccount(entry: Entry): boolean {
  return isAccount(entry) && !isExhausted(vectorOf(entry.payload));
}

function withoutRetired(
  record: DecodedRecord,
  entries: readonly Entry[],
  retired: ReadonlySet<string>,
): CausalContext {
  const context = new CausalContext();
  for (const actor of record.context.actors()) {
    const used = !retired.has(textOf(actor)) || entries.some((entry) => entry.actor === actor);
    if (used) context.addSeen(actor, record.context.seenOf(actor));
  }
  return context;
}
