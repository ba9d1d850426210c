/**
 * Faults of few worlds: what operators ask for, what lasts longer than a world, and what needs others around it, or nothing
 * else beside it, to show what it is for. Each is drawn from chance of its own, so that the rest of a world is as in others.
 */
import { calmMs, drawFault, type Extent, gapFaults, inTime } from './fault-drawing.ts';
import type { Random } from './random.ts';
import type { Fault, FaultKind } from './scenario.ts';

const losses: ReadonlySet<FaultKind> = new Set<FaultKind>(['destroy', 'destroy-with-log', 'restore']);

/** Of a region that may be lost nobody can say whether it is the operator who loses it. */
export function drawWishes(
  random: Random,
  faults: readonly Fault[],
  { regions, durationMs }: Extent,
): readonly Fault[] {
  if (!random.chance(0.15) || faults.some(({ kind }) => losses.has(kind))) return [];
  const kind = random.pick(['drain', 'refill'] as const);
  const atMs = random.between(durationMs / 4, (durationMs * 3) / 4);
  return [{ ...drawFault(random, { kind, atMs, regions }), forMs: random.between(4000, 15_000) }];
}

/** A transfer that an operator asks for, whether anything is missing or not. */
export function drawRepairs(random: Random, { regions, durationMs }: Extent): readonly Fault[] {
  if (!random.chance(0.15)) return [];
  const atMs = random.between(durationMs / 4, (durationMs * 3) / 4);
  return [drawFault(random, { kind: 'repair', atMs, regions })];
}

/** Of a log that is no server of its own. */
const logFaults: ReadonlySet<FaultKind> = new Set<FaultKind>([
  ...gapFaults.filter((kind) => kind !== 'lose-slot'),
  'kafka-down',
  'kafka-freeze',
  'kafka-flaky',
]);

/** For peers to hear of what is lost, and to say so. */
const testimonyMs = { before: 3000, after: 18_000 };

/** A database is set back together with its log, while its peers can be asked, or in the middle of whatever is wrong. */
export function besideLogInside(
  random: Random,
  faults: readonly Fault[],
  { regions, durationMs }: Extent,
): readonly Fault[] {
  const atMs = random.between(durationMs / 4, durationMs / 2);
  const restore = {
    ...drawFault(random, { kind: 'restore', atMs, regions }),
    forMs: random.between(3000, 9000),
  };
  const endMs = atMs + restore.forMs;
  const kept = faults.filter(({ kind }) => !logFaults.has(kind) && !losses.has(kind));
  const alone = random.split('alone');
  if (alone.chance(0.5))
    return [...kept, restore, ...cutsAround(alone, { restore, endMs, regions })].toSorted(inTime);
  const isBeside = ({ atMs: at, forMs }: Fault): boolean =>
    at > endMs + testimonyMs.after || at + forMs < endMs - testimonyMs.before;
  return [...kept.filter(isBeside), restore].toSorted(inTime);
}

/** Some or all links of the region are cut from before it is set back until after it has waited for its peers. */
function cutsAround(
  random: Random,
  { restore, endMs, regions }: { readonly restore: Fault; readonly endMs: number; readonly regions: number },
): readonly Fault[] {
  const others = Array.from({ length: regions }, (_, region) => region).filter(
    (each) => each !== restore.region,
  );
  const cut = others.filter(() => random.chance(0.8));
  return cut.map((other) => {
    const atMs = endMs - random.between(50, 2500);
    const forMs = endMs - atMs + random.between(2000, 20_000);
    return { kind: 'cut', atMs, forMs, region: restore.region, other, level: 0 };
  });
}

/** Longer than anything measured is kept. It prolongs its world, so that the rest of that is as in others. */
export function drawLongCut(random: Random, regions: number): Fault | null {
  if (!random.chance(0.025)) return null;
  const kind = random.pick(['cut', 'cut', 'cut-one-way'] as const);
  const fault = drawFault(random, { kind, atMs: random.between(calmMs, 40_000), regions });
  return { ...fault, forMs: random.between(65_000, 150_000) };
}

/** A link that is broken for long enough to be named, while nothing else is wrong: what is said of it is known exactly. */
export function drawLone(random: Random, { regions, durationMs }: Extent): Fault | null {
  if (!random.chance(0.08)) return null;
  const kind = random.pick(['cut', 'cut-one-way', 'flap'] as const);
  const drawn = drawFault(random, { kind, atMs: random.between(8000, durationMs / 3), regions });
  return { ...drawn, forMs: random.between(16_000, 24_000) };
}

/**
 * Two regions, so that it is sure who still holds the record; nothing that may lose it there, and nothing that is put aside for
 * so long that no sweep comes to a proof.
 */
export function drawLostRow(
  random: Random,
  faults: readonly Fault[],
  { regions, durationMs }: Extent,
): readonly Fault[] {
  const isSpoilt = faults.some(
    ({ kind }) => losses.has(kind) || kind === 'refill' || kind === 'clock-far-ahead',
  );
  if (!random.chance(0.08) || regions > 2 || isSpoilt) return [];
  const atMs = random.between(durationMs / 3, durationMs);
  return [drawFault(random, { kind: 'lose-row', atMs, regions })];
}

/** When the region has become another incarnation, at the latest. */
const renewedMs = 16_000;
const askedMs = [0, 4000, 8000, 12_000];

/**
 * A region becomes another incarnation while one of its peers can read its log and fetch nothing of it, and another can
 * reach only that peer: what this one is given is a life whose past its donor awaits.
 */
export function drawPastOfThird(
  random: Random,
  faults: readonly Fault[],
  { regions }: Extent,
): readonly Fault[] {
  if (!random.chance(0.6) || regions < 3 || faults.some(({ kind }) => losses.has(kind))) return [];
  const region = random.int(regions);
  const [donor, third] = [(region + 1) % regions, (region + 2) % regions];
  const restore = {
    kind: 'restore',
    atMs: calmMs + 1000,
    forMs: 3000,
    region,
    other: donor,
    level: 0,
  } as const;
  const endMs = restore.atMs + restore.forMs;
  const forMs = renewedMs + random.between(14_000, 20_000);
  const around = { atMs: endMs - 500, forMs, other: region, level: 0 };
  const repairs = askedMs.map(
    (afterMs): Fault => ({
      kind: 'repair',
      atMs: endMs + renewedMs + afterMs,
      forMs: 1000,
      region: third,
      other: donor,
      level: 0,
    }),
  );
  return [
    restore,
    { ...around, kind: 'mute', region: donor },
    { ...around, kind: 'cut', region: third },
    ...repairs,
  ];
}
