/**
 * Finds the highest rate that is sustained, with a bounded number of tries, and judges what sustained means: what was
 * due was acknowledged, and the target was no further behind towards the end than it was early on. Pure but for the
 * try that the caller gives.
 */

/** Cumulative counts at one moment of a run. */
export interface FlowSample {
  readonly atMs: number;
  readonly acknowledged: number;
  readonly applied: number;
}

export interface Flow {
  readonly ratePerS: number;
  /** When the first write was due. */
  readonly startMs: number;
  /** Writes that were due in the whole run. */
  readonly due: number;
  /** Of these, by the end of the run and its short drain. */
  readonly acknowledged: number;
  readonly samples: readonly FlowSample[];
}

export type Verdict =
  | { readonly kind: 'holds' }
  | { readonly kind: 'falls behind'; readonly why: 'writes' | 'lag' };

const leastAcknowledged = 0.98;
/** Lag may differ by this much of a second's writes between early and late: it breathes. */
const lagToleranceS = 0.25;

export function judge(flow: Flow): Verdict {
  const { ratePerS, due, acknowledged } = flow;
  const tolerated = ratePerS * lagToleranceS;
  if (acknowledged < due * leastAcknowledged) return { kind: 'falls behind', why: 'writes' };
  const unanswered = growth(flow, (sample) => dueBy(flow, sample) - sample.acknowledged);
  if (unanswered > tolerated) return { kind: 'falls behind', why: 'writes' };
  const unapplied = growth(flow, (sample) => dueBy(flow, sample) - sample.applied);
  return unapplied > tolerated ? { kind: 'falls behind', why: 'lag' } : { kind: 'holds' };
}

function dueBy({ ratePerS, due, startMs }: Flow, { atMs }: FlowSample): number {
  return Math.min(due, ((atMs - startMs) * ratePerS) / 1000);
}

/** By how much the mean of the last third is above that of the first. */
function growth({ samples }: Flow, of: (sample: FlowSample) => number): number {
  const third = Math.max(1, Math.floor(samples.length / 3));
  const mean = (part: readonly FlowSample[]): number =>
    part.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, part.length);
  return mean(samples.slice(-third)) - mean(samples.slice(0, third));
}

/** Changes applied a second over the samples; undefined where there are fewer than two. */
export function appliedPerS(samples: readonly FlowSample[]): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined || last.atMs <= first.atMs) return undefined;
  return ((last.applied - first.applied) * 1000) / (last.atMs - first.atMs);
}

export interface SearchOptions {
  readonly startPerS: number;
  /** Factor between tries while nothing has failed yet. */
  readonly growth: number;
  readonly maxTries: number;
}

/** The highest rate tried that held; 0 where none did. */
export async function searchRate(
  options: SearchOptions,
  holds: (ratePerS: number) => Promise<boolean>,
): Promise<number> {
  let held = 0;
  let failed = Number.POSITIVE_INFINITY;
  let next = options.startPerS;
  for (let tries = 0; tries < options.maxTries; tries++) {
    const rate = Math.round(next);
    if (await holds(rate)) held = rate;
    else failed = rate;
    if (failed === Number.POSITIVE_INFINITY) next = held * options.growth;
    else next = held === 0 ? failed / options.growth ** 2 : (held + failed) / 2;
    if (failed / Math.max(1, held) < 1.06) break;
  }
  return held;
}
