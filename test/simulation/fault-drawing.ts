/** How one fault is drawn, whichever world it is for. */
import type { Random } from './random.ts';
import type { Fault, FaultKind } from './scenario.ts';

export interface Extent {
  readonly regions: number;
  readonly durationMs: number;
}

/** Nothing goes wrong before, so that every region has heard every other once. */
export const calmMs = 3000;

/** What only a transfer can repair; without it, it has to be seen. */
export const gapFaults = ['drop-oldest', 'drop-newest', 'recreate-topic', 'lose-slot'] as const;

export function drawFault(
  random: Random,
  { kind, atMs, regions }: { readonly kind: FaultKind; readonly atMs: number; readonly regions: number },
): Fault {
  const region = random.int(regions);
  const other = (region + 1 + random.int(Math.max(1, regions - 1))) % regions;
  return { kind, atMs, forMs: random.scale(300, 25_000), region, other, level: random.next() };
}

export function inTime(a: Fault, b: Fault): number {
  return a.atMs - b.atMs;
}

/** Some of the kinds, at least one: what is left out cannot hide what is left. */
export function swarm<T>(random: Random, kinds: readonly T[], rate: number): readonly T[] {
  const chosen = kinds.filter(() => random.chance(rate));
  const one = kinds[random.int(kinds.length)];
  return chosen.length > 0 || one === undefined ? chosen : [one];
}
