/**
 * What deletes, clears and removals leave behind is there for writes that have not seen them. Once everybody has seen
 * all that a state has seen, and nothing older is under way, it can go: slots without a rest, remnants of texts,
 * deletions and what they hide, and what is known of retired actors. What the record shows stays the same, and replicas
 * need not collect at one time: what one has collected takes nothing from what it writes afterwards, and brings nothing
 * back, wherever it arrives. That is why a removal and what it beats stay as long as the record lives; else an addition
 * could not say that it has seen the removal, and a clear not that it has seen both. Hidden texts stay with what hides
 * them, and a dead record keeps its deletion, and what that hides, until it is dropped.
 */
import { textsOf } from '../arguments.ts';
import { countersOf } from '../causal/vector-counters.ts';
import type { VersionVector } from '../causal/version-vector.ts';
import type { Seen } from '../causal/seen.ts';
import { tagElement, tagMoved, tagRights, tagText, tagTextClient } from '../codec/format.ts';
import { textOf } from '../codec/utf8.ts';
import { isExhausted, vectorOf } from '../codec/vector.ts';
import { type Collectable, collectableOf, isOver } from './collectable.ts';
import { decode, type DecodedRecord, encode } from './decoded-record.ts';
import { type Entry, isSlot, latestDeletion } from './entry.ts';
import { isHidden, isWritten, liveEntries } from './liveness.ts';
import { isStable } from './stable.ts';

/** What a compaction has made. */
export interface Compacted {
  /** What is left; the very array that was passed where nothing can go. */
  readonly state: Uint8Array;
  /**
   * Whether the record may be dropped as a whole, `droppable`, or why not: it exists, it hides what its deletion has not
   * seen (another delete takes that), or the horizon is not exactly what the state has seen. Who drops it raises the
   * floors above it.
   */
  readonly record: Collectable | 'unstable';
}

/**
 * Drops what is no longer needed of a state that has seen exactly what everybody has seen. `horizon` holds counters of
 * this record by actor, the last that the state has seen of each; `retired` names actors that will never write again. Throws `malformed`, `newer-format`, and
 * `invalid-argument` for what is no horizon and no list of names.
 */
export function compact(
  state: Uint8Array,
  horizon: VersionVector,
  retired: Iterable<string> = [],
): Compacted {
  const seenByAll = countersOf(horizon, 'horizon');
  const gone = new Set(textsOf(retired, 'retired'));
  const record = decode(state);
  if (!isStable(record.context, seenByAll)) return { state, record: 'unstable' };
  const entries = kept(record.entries);
  const compacted = encode({
    minor: record.minor,
    entries,
    context: withoutRetired(record, entries, gone),
  });
  return {
    state: compacted.length === state.length ? state : compacted,
    record: collectableOf(entries),
  };
}

function kept(entries: readonly Entry[]): readonly Entry[] {
  const live = new Set(liveEntries(entries));
  const deletion = latestDeletion(entries);
  const texts = new Set(entries.filter(isWritten).map((entry) => entry.path));
  const holdsHidden = entries.some((entry) => isWritten(entry) && !live.has(entry));
  const accounts = new Set(entries.filter(isOpenAccount).map((entry) => entry.path));
  return entries.filter((entry) => {
    if (live.has(entry)) return true;
    if (isAccount(entry)) return accounts.has(entry.path);
    if (entry.tag === tagText) return texts.has(entry.path);
    // Without the deletion, the slots that it has not seen would bring a record back, what is written next could be
    // stamped earlier, so that it stays hidden where the deletion is still there, and hidden texts would be shown.
    if (entry === deletion) return live.size === 0 || holdsHidden;
    // What is hidden has to be seen where the record may be dropped: others hold it too, and it counts there again.
    if (live.size === 0) return !isOver(entry);
    if (entry.tag === tagTextClient) return texts.has(entry.path);
    if (isSlot(entry)) return !isExhausted(vectorOf(entry.payload));
    return entry.tag === tagElement && !isHidden(entry, deletion);
  });
}

function isAccount({ tag }: Entry): boolean {
  return tag === tagRights || tag === tagMoved;
}

/** The slots of a bounded counter explain each other's debts, so they go together or not at all. */
function isOpenAccount(entry: Entry): boolean {
  return isAccount(entry) && !isExhausted(vectorOf(entry.payload));
}

function withoutRetired(
  { context }: DecodedRecord,
  entries: readonly Entry[],
  retired: ReadonlySet<string>,
): Seen {
  const isUsed = (actor: string) =>
    !retired.has(textOf(actor)) || entries.some((entry) => entry.actor === actor);
  return new Map([...context].filter(([actor]) => isUsed(actor)));
}
