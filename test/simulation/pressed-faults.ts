/**
 * Faults of worlds in which a developer presses on a combination: of the kinds that were named and of no others, more of
 * them than usual, and also beside each other where usual worlds keep them apart so that each can be judged alone. What
 * leaves too little of a world comes as often as that can bear.
 */
import { calmMs, drawFault, type Extent, inTime, swarm } from './fault-drawing.ts';
import type { Random } from './random.ts';
import type { Fault, FaultKind } from './scenario.ts';

const most: Readonly<Partial<Record<FaultKind, number>>> = {
  destroy: 1,
  'destroy-with-log': 1,
  restore: 3,
  refill: 2,
  drain: 2,
  'lose-row': 1,
};

/** One of the two at most: who retires one region does not wait for another one that is gone as well. */
const destroying: ReadonlySet<FaultKind> = new Set<FaultKind>(['destroy', 'destroy-with-log']);

const operatorMs = { least: 4000, most: 15_000 };

export function drawPressed(
  random: Random,
  kinds: readonly FaultKind[],
  { regions, durationMs }: Extent,
): readonly Fault[] {
  const chosen = new Set(swarm(random, kinds, 0.8));
  // Who has lost a record in silence is counted on by a region that is filled anew, and then nobody has it.
  if (chosen.has('lose-row') && chosen.has('refill')) chosen.delete(random.pick(['lose-row', 'refill']));
  // Who is emptied when its only peer is destroyed has nothing left that it could be filled from.
  const ending = [...destroying].filter((kind) => chosen.has(kind));
  if (regions === 2 && chosen.has('refill') && ending.length > 0)
    for (const kind of random.chance(0.5) ? ['refill' as const] : ending) chosen.delete(kind);
  // What nobody but the destroyed region held any more was lost in silence before.
  if (chosen.has('lose-row') && ending.length > 0)
    for (const kind of random.chance(0.5) ? ['lose-row' as const] : ending) chosen.delete(kind);
  const left = new Map([...chosen].map((kind) => [kind, most[kind] ?? Infinity]));
  const everyMs = random.scale(1200, 6000);
  const faults: Fault[] = [];
  for (let atMs = calmMs; atMs < durationMs; atMs += random.between(0, 2 * everyMs)) {
    const possible = [...left.keys()].filter((kind) => canBegin(kind, atMs, durationMs));
    const kind = possible[random.int(possible.length)];
    if (kind === undefined) continue;
    const rest = (left.get(kind) ?? 0) - 1;
    if (rest > 0) left.set(kind, rest);
    else for (const ended of destroying.has(kind) ? destroying : [kind]) left.delete(ended);
    const fault = drawFault(random, { kind, atMs, regions });
    const isWish = kind === 'drain' || kind === 'refill';
    faults.push(isWish ? { ...fault, forMs: random.between(operatorMs.least, operatorMs.most) } : fault);
  }
  return faults.toSorted(inTime);
}

/** Of a region that is destroyed early nothing more can be seen. */
function canBegin(kind: FaultKind, atMs: number, durationMs: number): boolean {
  return !destroying.has(kind) || atMs >= durationMs / 3;
}
