/**
 * What is to happen in one run, as plain data drawn from a seed: how many regions, how good their links, which
 * operations when, which faults when. A run adds nothing to it but chance in latencies, so a scenario can be shrunk by
 * leaving out faults and operations, and the same scenario gives the same run.
 */
import type { Guard } from '@isthmus/replication/guard/write-guard';
import { calmMs, drawFault, type Extent, gapFaults, inTime, swarm } from './fault-drawing.ts';
import { drawPressed } from './pressed-faults.ts';
import { Random } from './random.ts';
import {
  besideLogInside,
  drawLone,
  drawLongCut,
  drawLostRow,
  drawPastOfThird,
  drawRepairs,
  drawWishes,
} from './rare-faults.ts';

const ordinaryFaults = [
  'cut',
  'cut-one-way',
  'clog',
  'lossy-link',
  'slow-link',
  'flap',
  'kill',
  'kill-at-step',
  'stop',
  'postgres-crash',
  'postgres-freeze',
  'postgres-slow',
  'postgres-flaky',
  'kafka-down',
  'kafka-freeze',
  'kafka-flaky',
  'clock-jump',
  'replay',
  'poison',
  'offsets-back',
  'offsets-forward',
] as const;

const rareFaults = [
  'clock-far-ahead',
  'destroy',
  'destroy-with-log',
  'restore',
  /** A stored record is lost, and neither the log nor a position says so. */
  'lose-row',
  /** Transfers across a link stand still, and all else passes. */
  'mute',
  /** What operators ask for. */
  'drain',
  'refill',
  'repair',
] as const;

export const faultKinds = [...ordinaryFaults, ...gapFaults, ...rareFaults] as const;

export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly kind: FaultKind;
  readonly atMs: number;
  readonly forMs: number;
  readonly region: number;
  /** Another region, where the kind needs one. */
  readonly other: number;
  /** From 0 to 1: how bad, or which of several. */
  readonly level: number;
}

export const operationKinds = [
  'increment',
  'set',
  'insert',
  'add',
  'remove',
  'refill',
  'spend',
  'put',
  'delete',
] as const;

export interface PlannedOperation {
  readonly kind: (typeof operationKinds)[number];
  readonly atMs: number;
  readonly region: number;
  /** Of the region; one does one thing at a time. */
  readonly client: number;
  /** Which of the shared records. */
  readonly record: number;
  readonly amount: number;
}

export interface Scenario {
  readonly seed: number;
  readonly regions: number;
  readonly partitions: number;
  /** Processes of each region. */
  readonly processes: number;
  readonly durationMs: number;
  readonly linkLatencyMs: number;
  readonly clocks: readonly { readonly offsetMs: number; readonly driftRate: number }[];
  readonly guard: Guard;
  /** When the last region comes, which the others know from the beginning; `null`: with them. */
  readonly joining: { readonly atMs: number; readonly isCalm: boolean } | null;
  /** How long after a region is destroyed together with its log an operator retires it; `null`: never. */
  readonly retiring: { readonly afterMs: number } | null;
  /** Whether the log of each region lies in its database. */
  readonly isLogInside: boolean;
  /** Whether each region compares a database that was started anew with its own log. */
  readonly isGuarded: boolean;
  /** Whether transfers and sweeps work; without them no mistake of the log's path is ever repaired. */
  readonly isHealing: boolean;
  readonly operations: readonly PlannedOperation[];
  readonly faults: readonly Fault[];
}

export interface ScenarioOptions {
  /** `null`: drawn. */
  readonly regions: number | null;
  readonly seconds: number | null;
  /** Without, only faults are drawn that need no transfer. */
  readonly isHealing: boolean;
  /** Of which kinds alone, in the order of `faultKinds`; `null`: drawn. */
  readonly faults: readonly FaultKind[] | null;
}

/** What these take away comes back by transfers alone. */
const needsTransfer: ReadonlySet<FaultKind> = new Set<FaultKind>([
  ...gapFaults,
  'destroy',
  'destroy-with-log',
  'refill',
  'lose-row',
]);

/** After these a server was started anew, and who it is has to be proven. */
const startsAnew: ReadonlySet<FaultKind> = new Set<FaultKind>(['postgres-crash', 'restore', 'refill']);

const clientsPerRegion = 3;

export function drawScenario(seed: number, options: ScenarioOptions): Scenario {
  const random = new Random(seed);
  const shape = random.split('shape');
  const regions = options.regions ?? drawRegions(shape.next());
  const usualMs = 1000 * (options.seconds ?? Math.round(shape.between(50, 62)));
  const course =
    options.faults === null
      ? drawCourse(random, { regions, usualMs, options })
      : drawPressedCourse(random, { regions, usualMs, options, kinds: options.faults });
  const { durationMs, faults, joining, isLogInside } = course;
  const { isHealing } = options;
  const scenario: Scenario = {
    seed,
    regions,
    partitions: shape.pick([1, 1, 1, 1, 1, 2, 2, 2, 3, 4]),
    processes: shape.pick([1, 1, 1, 1, 1, 2]),
    durationMs,
    linkLatencyMs: shape.scale(1, 120),
    clocks: Array.from({ length: regions }, () => ({
      offsetMs: shape.between(-5000, 5000),
      driftRate: shape.between(-1e-4, 1e-4),
    })),
    guard: drawGuard(random.split('guard')),
    operations: drawOperations(random.split('operations'), { regions, durationMs }),
    faults,
    joining,
    retiring: drawRetiring(random.split('retiring'), faults),
    isHealing,
    isLogInside,
    isGuarded: shape.chance(0.1) || isLogInside || faults.some(({ kind }) => startsAnew.has(kind)),
  };
  const nothingElse = { joining: null, retiring: null, isLogInside: false };
  const { lone } = course;
  return lone === null ? scenario : { ...scenario, ...nothingElse, faults: [lone] };
}

/** What happens in a world, and when. */
interface Course extends Pick<Scenario, 'durationMs' | 'faults' | 'joining' | 'isLogInside'> {
  /** Then nothing else happens. */
  readonly lone: Fault | null;
}

interface CourseParts {
  readonly regions: number;
  readonly usualMs: number;
  readonly options: ScenarioOptions;
}

function drawCourse(random: Random, { regions, usualMs, options }: CourseParts): Course {
  const { isHealing } = options;
  const longCut = options.seconds === null ? drawLongCut(random.split('long cut'), regions) : null;
  const durationMs = usualMs + (longCut?.forMs ?? 0);
  const extent = { regions, durationMs };
  const usual = [
    ...drawFaults(random.split('faults'), extent),
    ...(longCut === null ? [] : [longCut]),
    ...(isHealing ? drawRepairs(random.split('repairs'), extent) : []),
  ];
  const isLogInside = isHealing && random.split('log').chance(0.08);
  const drawn = isLogInside
    ? besideLogInside(random.split('restore'), usual, extent)
    : [...usual, ...drawWishes(random.split('wishes'), usual, extent)].toSorted(inTime);
  const renewal = isHealing && !isLogInside ? drawRenewal(random.split('renewal'), regions) : null;
  const joining = drawJoining(random.split('joining'), { durationMs, renewal });
  const isKept = ({ kind, atMs }: Fault): boolean =>
    (isHealing || !needsTransfer.has(kind)) && (joining?.isCalm !== true || atMs > joining.atMs + calmMs);
  const renewed = joining?.isCalm === true && renewal !== null ? [renewal.restore] : [];
  const isRepaired = isHealing && !isLogInside;
  const trimmed = isRepaired ? drawTrimmed(random.split('trimmed'), { regions, joining }) : [];
  const past = isRepaired && joining === null ? drawPastOfThird(random.split('past'), drawn, extent) : [];
  const lost = isRepaired && joining === null ? drawLostRow(random.split('lost row'), drawn, extent) : [];
  const faults = [...renewed, ...trimmed, ...past, ...lost, ...drawn.filter(isKept)].toSorted(inTime);
  const lone = options.seconds === null ? drawLone(random.split('lone'), extent) : null;
  return { durationMs, faults, joining, isLogInside, lone };
}

/** Every region is there from the beginning, so that what happens happens to all of them. */
function drawPressedCourse(
  random: Random,
  { regions, usualMs, options, kinds }: CourseParts & { readonly kinds: readonly FaultKind[] },
): Course {
  const extent = { regions, durationMs: usualMs };
  const possible = kinds.filter((kind) => options.isHealing || !needsTransfer.has(kind));
  const pressed = drawPressed(random.split('pressed'), possible, extent);
  const isLogInside = options.isHealing && kinds.includes('restore') && random.split('log').chance(0.08);
  const drawn = isLogInside ? besideLogInside(random.split('restore'), pressed, extent) : pressed;
  const faults = drawn.filter(({ kind }) => kinds.includes(kind));
  return { durationMs: usualMs, faults, joining: null, isLogInside, lone: null };
}

/** Few are enough for most of what can go wrong, and a world's cost grows with the square. */
function drawRegions(at: number): number {
  if (at < 0.82) return 2;
  if (at < 0.96) return 3;
  return at < 0.985 ? 4 : 5;
}

/** Mostly none, so that faults do not keep writers from doing harm. */
function drawGuard(random: Random): Guard {
  if (!random.chance(0.1)) return { kind: 'accept' };
  const seconds = random.chance(0.7) ? Math.round(random.between(2, 15)) : null;
  const changes = seconds === null || random.chance(0.3) ? 10 + random.int(60) : null;
  return { kind: 'budget', seconds, changes, peers: 1 };
}

/** Where all is calm when a region comes, it is known whom its first write has to wait for. */
function drawJoining(
  random: Random,
  { durationMs, renewal }: Pick<Extent, 'durationMs'> & { readonly renewal: Renewal | null },
): Scenario['joining'] {
  if (!random.chance(0.1)) return null;
  const atMs = random.between(4000, Math.max(4000, durationMs / 4));
  const isCalm = random.chance(0.5);
  return { atMs: isCalm && renewal !== null ? renewal.comesAtMs : atMs, isCalm };
}

/** Logs do not reach back to their beginning any more when the region comes, where not all has to be calm. */
function drawTrimmed(
  random: Random,
  { regions, joining }: Pick<Scenario, 'regions' | 'joining'>,
): readonly Fault[] {
  if (joining === null || joining.isCalm) return [];
  return [drawFault(random, { kind: 'drop-oldest', atMs: joining.atMs - 500, regions: regions - 1 })];
}

/** A peer is set back before the region comes, which happens about when that goes on under another incarnation. */
interface Renewal {
  readonly restore: Fault;
  readonly comesAtMs: number;
}

function drawRenewal(random: Random, regions: number): Renewal | null {
  if (!random.chance(0.5)) return null;
  const drawn = drawFault(random, { kind: 'restore', atMs: calmMs + 1000, regions: regions - 1 });
  const restore = { ...drawn, forMs: 3000 };
  return { restore, comesAtMs: restore.atMs + restore.forMs + random.between(14_000, 27_000) };
}

/** What the log of a destroyed region still holds is not given up; where that is gone too, there is nothing to wait for. */
function drawRetiring(random: Random, faults: readonly Fault[]): Scenario['retiring'] {
  if (!faults.some(({ kind }) => kind === 'destroy-with-log') || !random.chance(0.7)) return null;
  return { afterMs: random.between(500, 20_000) };
}

function drawOperations(random: Random, { regions, durationMs }: Extent): readonly PlannedOperation[] {
  const kinds = swarm(random, operationKinds, 0.7);
  const perSecond = random.scale(5.8, 8.6);
  const records = random.pick([2, 6, 20]);
  const operations: PlannedOperation[] = [];
  for (let atMs = 500; atMs < durationMs; atMs += (-Math.log(1 - random.next()) * 1000) / perSecond) {
    operations.push({
      kind: kinds[random.int(kinds.length)] ?? 'insert',
      atMs,
      region: random.int(regions),
      client: random.int(clientsPerRegion),
      record: random.int(records),
      amount: 1 + random.int(1_000_000),
    });
  }
  return operations;
}

function drawFaults(random: Random, { regions, durationMs }: Extent): readonly Fault[] {
  const isCalm = random.chance(0.05);
  if (isCalm) return [];
  const kinds: FaultKind[] = [...swarm(random, ordinaryFaults, 0.4)];
  // Where nothing is taken out of a log, nothing may be missing from it: repair must not hide what caused it.
  if (random.chance(0.5)) kinds.push(...swarm(random, gapFaults, 0.5));
  if (random.chance(0.1)) kinds.push('clock-far-ahead');
  const everyMs = random.scale(1500, 8000);
  const faults: Fault[] = [];
  for (let atMs = calmMs; atMs < durationMs; atMs += random.between(0, 2 * everyMs))
    faults.push(drawFault(random, { kind: kinds[random.int(kinds.length)] ?? 'cut', atMs, regions }));
  if (random.chance(0.2)) {
    const kind = random.pick(['destroy', 'destroy-with-log', 'restore'] as const);
    faults.push(drawFault(random, { kind, atMs: random.between(durationMs / 3, durationMs), regions }));
  }
  return faults.toSorted(inTime);
}
