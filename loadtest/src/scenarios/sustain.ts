/**
 * The sustained rate of one way of writing: the highest rate that a bounded search finds to hold, then that rate held
 * again for every run, taken down a step where it no longer holds. A stretch that nobody judges comes first, because
 * the search never goes back above a rate that fell behind, and code that is not compiled yet falls behind soon.
 * During a stretch it is seen twice a second how many writes were acknowledged and how many are applied at the peer;
 * the figure of a run is what the peer applied.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { readApplied } from '../applied.ts';
import { LoadError } from '../errors.ts';
import type { LatencySummary } from '../histogram.ts';
import { appliedPerS, type Flow, judge, searchRate } from '../rate-search.ts';
import type { Context } from '../scenario.ts';
import { settle } from '../settle.ts';

const sampleMs = 500;
const stepDown = 0.9;
const maxStepsDown = 4;
const growth = 1.35;

export interface Driven {
  readonly due: number;
  readonly acknowledged: number;
  /** Bytes of deltas; `null` where only the region process knows. */
  readonly payloadBytes: number | null;
  readonly latency: LatencySummary | null;
}

export interface Driver {
  /** Changes a second at which the search begins. */
  readonly startPerS: number;
  /** `onAcknowledged` hears the changes acknowledged so far. */
  readonly drive: (
    load: { readonly ratePerS: number; readonly durationMs: number },
    onAcknowledged: (changes: number) => void,
  ) => Promise<Driven>;
  /** Asked twice a second while a stretch runs. */
  readonly watch?: () => Promise<void>;
}

export interface Stretch {
  readonly flow: Flow;
  readonly driven: Driven;
  readonly perS: number;
  /** All bytes between the regions until everything was applied. */
  readonly linkBytes: number;
}

/**
 * One stretch for each run, all of which held; fewer where the rate had to be taken down too often. Rejects with `not-in-time`
 * where none held. What comes before the search warms both regions up and is not judged.
 */
export async function sustain(context: Context, driver: Driver): Promise<readonly Stretch[]> {
  const { effort, say } = context;
  const isHeld = async (ratePerS: number): Promise<boolean> => {
    const { flow, perS } = await stretch(context, driver, { ratePerS, durationMs: effort.tryMs });
    const verdict = judge(flow);
    const how = verdict.kind === 'holds' ? 'holds' : `falls behind (${verdict.why})`;
    say(`  ${ratePerS} changes/s ${how}, ${perS.toFixed(0)} applied/s`);
    return verdict.kind === 'holds';
  };
  const { startPerS } = driver;
  await stretch(context, driver, { ratePerS: startPerS, durationMs: effort.stretchMs });
  let rate = await searchRate({ startPerS, growth, maxTries: effort.searchTries }, isHeld);
  const held: Stretch[] = [];
  for (let steps = 0; held.length < effort.runs && rate > 0; ) {
    const found = await stretch(context, driver, {
      ratePerS: Math.round(rate),
      durationMs: effort.stretchMs,
    });
    if (judge(found.flow).kind === 'holds') {
      held.push(found);
      say(`  run ${held.length}: ${found.perS.toFixed(0)} changes/s at a set rate of ${found.flow.ratePerS}`);
    } else {
      rate = steps++ < maxStepsDown ? rate * stepDown : 0;
      say(`  a run at ${found.flow.ratePerS} fell behind`);
    }
  }
  return requireHeld(held);
}

/** Without any there is no figure, which is a failure and no figure of nothing. */
export function requireHeld<T>(held: readonly T[]): readonly T[] {
  if (held.length === 0)
    throw new LoadError('not-in-time', 'the peer fell behind at every rate that was tried');
  return held;
}

/** What belongs to a figure of fewer runs than were asked for. */
export function fewerNotes(held: number, wanted: number): readonly string[] {
  return held === wanted ? [] : [`ONLY ${held} OF ${wanted} RUNS HELD A RATE.`];
}

export async function stretch(
  context: Context,
  driver: Driver,
  load: { readonly ratePerS: number; readonly durationMs: number },
): Promise<Stretch> {
  const { demo } = context;
  const base = await settle(demo);
  const bytesBefore = await demo.linkBytes();
  let acknowledged = 0;
  const startMs = performance.now();
  const driving = driver.drive(load, (changes) => {
    acknowledged = changes;
  });
  const samples = await sampleWhile(driving, async () => {
    const reading = await readApplied(demo);
    await driver.watch?.();
    return { atMs: reading.atMs, acknowledged, applied: reading.changes - base };
  });
  const driven = await driving;
  await settle(demo);
  const within = samples.filter(({ atMs }) => atMs <= startMs + load.durationMs);
  const { due } = driven;
  const flow = { ratePerS: load.ratePerS, startMs, due, acknowledged: driven.acknowledged, samples: within };
  return {
    flow,
    driven,
    perS: appliedPerS(within) ?? 0,
    linkBytes: (await demo.linkBytes()) - bytesBefore,
  };
}

/** Twice a second until the work has ended, however it has; whoever gave it learns that from the work itself. */
export async function sampleWhile<T>(
  work: Promise<unknown>,
  sample: () => Promise<T>,
): Promise<readonly T[]> {
  const state = { isDone: false };
  const ended = Promise.allSettled([work]).finally(() => {
    state.isDone = true;
  });
  const samples: T[] = [];
  for (;;) {
    await Promise.race([ended, delay(sampleMs)]);
    if (state.isDone) return samples;
    samples.push(await sample());
  }
}

/** A stretch as curves of changes a second between its samples. */
export function throughputOf({ flow: { samples } }: Stretch): {
  readonly acknowledged: readonly (readonly [number, number])[];
  readonly applied: readonly (readonly [number, number])[];
} {
  const startMs = samples[0]?.atMs ?? 0;
  const steps = samples.slice(1).map((sample, index) => {
    const before = samples[index] ?? sample;
    const perS = (count: number): number => (count * 1000) / Math.max(1, sample.atMs - before.atMs);
    return {
      atS: (sample.atMs - startMs) / 1000,
      acknowledged: perS(sample.acknowledged - before.acknowledged),
      applied: perS(sample.applied - before.applied),
    };
  });
  return {
    acknowledged: steps.map(({ atS, acknowledged }) => [atS, acknowledged] as const),
    applied: steps.map(({ atS, applied }) => [atS, applied] as const),
  };
}
