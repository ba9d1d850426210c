/**
 * Merging for users: two states, or a state and a delta, which is the same thing (delta-state CRDTs: Almeida, Shoker,
 * Baquero, "Delta State Replicated Data Types", 2018). It needs no schema and enforces no limit. Bytes that do not
 * follow the format end in a typed error; what a walk over the bytes can join is joined there, and all else by the
 * definition. A merge that brings nothing returns `state` itself, the same reference; that is decided from the contexts
 * alone, because every edit issues at least one dot.
 */
import { covers, hasSeen } from '../causal/seen.ts';
import { checkBytes } from '../codec/bytes.ts';
import { tagRegister } from '../codec/format.ts';
import { labelOf } from '../codec/path.ts';
import { broughtSiblings, byteMerge } from './byte-merge.ts';
import { decode, encode } from './decoded-record.ts';
import { namesOfPath } from './entry.ts';
import { join } from './join.ts';
import { liveEntries } from './liveness.ts';

/** What a merge has made. */
export interface Merged {
  /** The joined state; where nothing changed, the very array that was passed. */
  readonly state: Uint8Array;
  /** Whether `state` differs from the first argument. */
  readonly changed: boolean;
  /**
   * Paths of registers that show one of several values, at least one of which this merge has brought. Worked out when asked
   * for, from the bytes that were passed: ask before you write anything else into their buffers.
   */
  readonly conflicts: readonly string[];
}

const none: readonly string[] = Object.freeze([]);

/**
 * Joins `delta` into `state`. Both may be states or deltas, in either order; empty bytes are a record of which nothing
 * was ever seen. Throws `malformed`, `newer-format`, or `too-large` where more than 64 MiB have to be taken apart. It looks
 * at what it joins: of a delta that brings nothing only at the head, of a state not at what stays. Check with `validate`
 * what comes from strangers.
 */
export function merge(state: Uint8Array, delta: Uint8Array): Merged {
  checkBytes(state, 'state');
  checkBytes(delta, 'delta');
  if (delta.length === 0 || state === delta) return unchanged(state);
  const walked = byteMerge(state, delta);
  if (walked === null) return mergeDecoded(state, delta);
  if (walked === state) return unchanged(state);
  if (broughtSiblings) return withConflicts(state, walked);
  return { state: walked, changed: true, conflicts: none };
}

function unchanged(state: Uint8Array): Merged {
  return { state, changed: false, conflicts: none };
}

function mergeDecoded(state: Uint8Array, delta: Uint8Array): Merged {
  const before = decode(state);
  const other = decode(delta);
  if (covers(before.context, other.context)) return unchanged(state);
  return withConflicts(state, encode(join(before, other)));
}

/** Conflicts are looked for when somebody asks, because that takes both states apart. */
function withConflicts(before: Uint8Array, state: Uint8Array): Merged {
  let found: readonly string[] | null = null;
  return {
    state,
    changed: true,
    get conflicts() {
      found ??= Object.freeze(conflictsOf(before, state));
      return found;
    },
  };
}

function conflictsOf(before: Uint8Array, after: Uint8Array): readonly string[] {
  const { context } = decode(before);
  const live = liveEntries(decode(after).entries).filter(({ tag }) => tag === tagRegister);
  const brought = new Set(live.filter((entry) => !hasSeen(context, entry)).map(({ path }) => path));
  const several = live.filter(({ path }, index) => brought.has(path) && live[index - 1]?.path === path);
  return [...new Set(several.map(({ path }) => labelOf(namesOfPath(path))))];
}
