/**
 * Changes to a record by somebody who knows the format: entries out of order, forged dots, tables of actors that do
 * not fit, counts that lie, keys and payloads that only look right. What comes out has a good chance to pass the first
 * checks and to reach the later ones.
 */
import { forgedPayload, protoName, someNumber } from './payloads.ts';
import { type ActorPart, assembled, type EntryPart, honest, type Parts } from './parts.ts';
import type { Random } from './random.ts';

type Mutation = (parts: Parts, random: Random, other: Parts) => Parts;

const mutations: readonly [Mutation, ...Mutation[]] = [
  (parts, random) => withEntries(parts, duplicated(parts.entries, random)),
  (parts, random) => withEntries(parts, exchanged(parts.entries, random)),
  (parts, random) => withEntries(parts, without(parts.entries, random)),
  (parts, random, other) => withEntries(parts, inserted(parts.entries, random, other.entries)),
  (parts, random) =>
    changeEntry(parts, random, (entry) => ({ ...entry, counter: nearby(entry.counter, random) })),
  (parts, random) =>
    changeEntry(parts, random, (entry) => ({ ...entry, index: nearby(entry.index, random) })),
  (parts, random) => changeEntry(parts, random, (entry) => forgedTag(entry, random)),
  (parts, random) =>
    changeEntry(parts, random, (entry) => ({ ...entry, path: forgedPath(entry.path, random) })),
  (parts, random) => changeEntry(parts, random, (entry) => ({ ...entry, payload: forgedPayload(random) })),
  (parts, random) =>
    changeEntry(parts, random, (entry) => ({ ...entry, payload: altered(entry.payload, random) })),
  (parts, random) => changeEntry(parts, random, (entry) => forgedSub(entry, random)),
  (parts, random) => ({ ...parts, actors: duplicated(parts.actors, random) }),
  (parts, random) => ({ ...parts, actors: exchanged(parts.actors, random) }),
  (parts, random) => ({ ...parts, actors: without(parts.actors, random) }),
  (parts, random, other) => ({ ...parts, actors: inserted(parts.actors, random, other.actors) }),
  (parts, random) =>
    changeActor(parts, random, (actor) => ({ ...actor, name: forgedName(actor.name, random) })),
  (parts, random) => changeActor(parts, random, (actor) => ({ ...actor, max: nearby(actor.max, random) })),
  (parts, random) =>
    changeActor(parts, random, (actor) => ({ ...actor, runs: forgedRuns(actor.runs, random) })),
  (parts, random) => ({ ...parts, version: random.pick([0x10, 0x11, 0x1f, 0x00, 0x20, 0xf0]) }),
  lying,
];

export function mutateParts(parts: Parts, random: Random, other: Parts): Uint8Array {
  let mutated = parts;
  for (let count = 1 + (random.once(3) ? random.below(3) : 0); count > 0; count--) {
    mutated = random.pick(mutations)(mutated, random, other);
  }
  return assembled(mutated);
}

function lying(parts: Parts, random: Random): Parts {
  const by = random.pick([1, -1, 3, 127, 2 ** 31, 2 ** 53 - 2]);
  const name = random.pick(['actorCount', 'runCount', 'entrySize', 'subSize', 'padding'] as const);
  const lie = name === 'padding' ? 1 + random.below(8) : by;
  return {
    ...parts,
    lies: { ...honest, [name]: name === 'actorCount' ? Math.max(0, lie) : Math.max(-1, lie) },
  };
}

function withEntries(parts: Parts, entries: readonly EntryPart[]): Parts {
  return { ...parts, entries };
}

function changeEntry(parts: Parts, random: Random, change: (entry: EntryPart) => EntryPart): Parts {
  return withEntries(parts, changed(parts.entries, random, change));
}

function changeActor(parts: Parts, random: Random, change: (actor: ActorPart) => ActorPart): Parts {
  return { ...parts, actors: changed(parts.actors, random, change) };
}

function changed<Item>(
  items: readonly Item[],
  random: Random,
  change: (item: Item) => Item,
): readonly Item[] {
  const at = random.below(items.length);
  return items.map((item, index) => (index === at ? change(item) : item));
}

function duplicated<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const at = random.below(items.length);
  return items.flatMap((item, index) => (index === at ? [item, item] : [item]));
}

function exchanged<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const at = random.below(items.length - 1);
  return [...items.slice(0, at), ...items.slice(at, at + 2).toReversed(), ...items.slice(at + 2)];
}

function without<Item>(items: readonly Item[], random: Random): readonly Item[] {
  const at = random.below(items.length);
  return items.filter((_, index) => index !== at);
}

function inserted<Item>(items: readonly Item[], random: Random, others: readonly Item[]): readonly Item[] {
  const at = random.below(items.length + 1);
  const from = random.below(others.length);
  return [...items.slice(0, at), ...others.slice(from, from + 1), ...items.slice(at)];
}

function nearby(value: number, random: Random): number {
  return random.once(2) ? Math.max(0, value + random.pick([1, -1, 2, 40])) : someNumber(random);
}

function altered(payload: readonly number[], random: Random): readonly number[] {
  const at = random.below(payload.length);
  if (random.once(3)) return payload.slice(0, at);
  if (random.once(3)) return [...payload, random.below(256)];
  return payload.map((byte, index) => (index === at ? random.below(256) : byte));
}

/** Also without the sub-key that the tag would have, or with one that it has not. */
function forgedTag(entry: EntryPart, random: Random): EntryPart {
  const extended = random.once(3);
  const tag = extended ? [0xff, random.below(256)] : [0xf5 + random.below(11)];
  const sub = random.once(3) ? null : (entry.sub ?? [0x61]);
  return { ...entry, tag, sub };
}

function forgedPath(path: readonly number[], random: Random): readonly number[] {
  const nested = (depth: number) =>
    Array.from({ length: 2 * depth - 1 }, (_, at) => (at % 2 === 0 ? 0x61 : 0xf5));
  return random.pick<readonly number[]>([
    [],
    [0xf5],
    [...path, 0xf5],
    [...path, 0xf5, 0x61],
    nested(32),
    nested(33),
    nested(random.once(40) ? 5000 : 200),
    Array<number>(512).fill(0x61),
    Array<number>(513).fill(0x61),
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    protoName,
    path.slice(1),
  ]);
}

function forgedSub(entry: EntryPart, random: Random): EntryPart {
  if (entry.sub === null) return { ...entry, payload: altered(entry.payload, random) };
  const minusZero = [0x03, 0x80, 0, 0, 0, 0, 0, 0, 0];
  const sub = random.pick<readonly number[]>([
    [],
    [0],
    [0x80],
    [0x80, 0x40],
    [0x91, 0, 0],
    minusZero,
    [0x42, 0xc0, 0x80],
    Array<number>(200).fill(0x61),
    altered(entry.sub, random),
  ]);
  return { ...entry, sub };
}

function forgedName(name: readonly number[], random: Random): readonly number[] {
  return random.pick<readonly number[]>([
    [],
    name.slice(0, -1),
    [...name, 0x31],
    [0x80],
    [0xed, 0xa0, 0x80],
    [0xf5],
    Array<number>(64).fill(0x61),
    Array<number>(65).fill(0x61),
    protoName,
  ]);
}

function forgedRuns(runs: readonly number[], random: Random): readonly number[] {
  if (random.once(4)) return Array.from({ length: 2 * random.below(200) }, () => random.below(3));
  const extra = [someNumber(random), someNumber(random)];
  if (random.once(3)) return extra;
  return random.once(2) ? [...extra, ...runs] : runs.map((value) => nearby(value, random));
}
