/**
 * What mutations begin with: states and deltas of real histories of three and more replicas over every type, with
 * gaps in what was seen, crowds of actors, types that only newer code knows, and records after deletes. It follows
 * from a seed and is valid throughout.
 */
import { extendedKey } from './extended-key.ts';
import { type Ranges, seeAll } from '../causal/seen.ts';
import { formatMinor, tagExtended } from '../codec/format.ts';
import { ConflictError } from '../errors.ts';
import { encode } from '../record/decoded-record.ts';
import { type Entry } from '../record/entry.ts';
import { merge } from '../record/merge.ts';
import type { Schema } from '../record/schema.ts';
import { addWins, lastWriterWins } from './collections.ts';
import { actors, operate } from './edits.ts';
import { Random } from './random.ts';

const nothing: Uint8Array = new Uint8Array(0);
const histories = 120;

/** Records that share a history stand next to each other. */
export function corpusOf(seed: number): readonly [Uint8Array, ...Uint8Array[]] {
  const random = new Random(seed, 0);
  const found: Uint8Array[] = [];
  for (let index = 0; index < histories; index++) {
    found.push(...historyOf(index % 2 === 0 ? addWins : lastWriterWins, random));
  }
  const [last = nothing] = found.slice(-1);
  return [nothing, ...found, ...foreignRecords(last), crowd(40), crowd(200)];
}

/** Replicas edit and hear of each other now and then; deltas get lost, so contexts have gaps. */
function historyOf(type: Schema, random: Random): readonly Uint8Array[] {
  const states = actors.map(() => nothing);
  const deltas: Uint8Array[] = [];
  // Most are short, because short records are examined more often in the same time.
  for (let step = random.once(8) ? 0 : 8; step < 16; step++) {
    const at = random.below(2 + random.below(actors.length - 1));
    const before = states[at] ?? nothing;
    const edited = editedOf(type, before, { actor: actors[at] ?? '', random, step });
    states[at] = edited.state;
    if (edited.delta.length > 0) deltas.push(edited.delta);
    const to = random.below(states.length);
    const heard = random.once(3) ? edited.state : deltas[random.below(deltas.length)];
    if (heard !== undefined) states[to] = merge(states[to] ?? nothing, heard).state;
  }
  const scattered = deltas
    .filter(() => random.once(2))
    .reduce((all, delta) => merge(all, delta).state, nothing);
  return [...states, ...deltas, scattered].filter((bytes) => bytes.length > 0);
}

interface Step {
  readonly actor: string;
  readonly random: Random;
  readonly step: number;
}

function editedOf(type: Schema, before: Uint8Array, { actor, random, step }: Step) {
  const context = { actor, now: 1_700_000_000_000 + (step % 4), floor: random.once(5) ? 200 : 0 };
  try {
    return type.edit(before, context, (editor) => operate(editor, random, false));
  } catch (reason) {
    if (!(reason instanceof ConflictError)) throw reason;
    return { state: before, delta: nothing };
  }
}

/** Entries of extended tags with every combination of traits that has a meaning, in a newer minor version. */
function foreignRecords(base: Uint8Array): readonly Uint8Array[] {
  const payloads = [[7, 7], [7], [5, 0, 3], [9], [0, 0, 0, 0, 0, 5, 1], [0, 0, 0, 0, 1, 0]];
  const entries = payloads.map((payload, traits): Entry => {
    const named = {
      path: 'future',
      tag: tagExtended * 256 + 16 + traits,
      sub: (traits & 1) === 0 ? '' : 'sub',
    };
    return {
      key: extendedKey(named),
      ...named,
      actor: 'zz',
      counter: 2 * traits + 1,
      payload: String.fromCharCode(...payload),
    };
  });
  const context = new Map<string, Ranges>();
  seeAll(context, [...entries, { actor: 'zz', counter: 40 }]);
  const record = encode({ minor: formatMinor + 1, context, entries });
  return [record, merge(base, record).state];
}

function crowd(count: number): Uint8Array {
  let state = nothing;
  for (let index = 0; index < count; index++) {
    const context = { actor: `r${(index * 7) % count}`, now: 1_700_000_000_000 };
    state = merge(
      state,
      addWins.edit(nothing, context, (editor) => editor.increment('likes', 1)).delta,
    ).state;
  }
  return state;
}
