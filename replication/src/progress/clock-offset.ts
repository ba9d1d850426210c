/**
 * How far the own clock is ahead of a peer's, from echoes of own beats by the formula of NTP (RFC 5905, section 8).
 * A beat leaves at t0 by the own clock and reaches the peer at t1 by the peer's; the peer's progress leaves at t2 and
 * is read here at t3. Whatever the two paths took, the true offset lies within half of the time spent on them.
 *
 *     own    t0 ------------------------ t3        ahead of peer by ((t0 - t1) + (t3 - t2)) / 2
 *               \                      /           error at most    ((t3 - t0) - (t2 - t1)) / 2
 *     peer        t1 ---------------- t2
 *
 * Of all samples the one with the least error now holds, where an error grows with age because clocks drift: the first echo
 * after a long cut was on its way for all of it, and the sample from before the cut is better by far.
 * A sample that no drift can reconcile with the held one means that a clock was set: all before it is forgotten.
 * An offset is never invented: without a sample it is `null`, and without new ones its error keeps growing.
 */
import type { ClockOffset } from '../ports/beat-store.ts';

/** Greatest rate at which two ordinary quartz clocks part: 100 parts per million each. */
export const driftRate = 2e-4;
const maxSamples = 64;
const windowMs = 60_000;

/** One echo; names follow RFC 5905, own clock for t0 and t3, peer's for t1 and t2. */
export interface EchoTimes {
  readonly t0: number;
  readonly t1: number;
  readonly t2: number;
  readonly t3: number;
}

/** Newest sample last. */
export type OffsetSamples = readonly ClockOffset[];

/** `null` where the times contradict each other: a clock was set while the echo was on its way. */
export function sampleOf(times: EchoTimes): ClockOffset | null {
  const { t0, t1, t2, t3 } = times;
  const onTheWayMs = t3 - t0 - (t2 - t1);
  if (t3 < t0 || t2 < t1 || onTheWayMs < 0) return null;
  return {
    offsetMs: (t0 - t1 + (t3 - t2)) / 2,
    errorMs: onTheWayMs / 2,
    measuredAtMs: t3,
  };
}

export function addSample(samples: OffsetSamples, sample: ClockOffset): OffsetSamples {
  const held = heldOffset(samples, sample.measuredAtMs);
  if (held !== null && !agree(held, sample)) return [sample];
  const isKept = (old: ClockOffset, index: number): boolean =>
    old === held ||
    (index > samples.length - maxSamples && sample.measuredAtMs - old.measuredAtMs <= windowMs);
  return samples.filter(isKept).concat(sample);
}

/** By how much the peer's clock was set ahead before this sample; `null`: as far as is known it was not set. `held` held then. */
export function jumpMsBefore(held: ClockOffset | null, sample: ClockOffset): number | null {
  return held === null || agree(held, sample) ? null : held.offsetMs - sample.offsetMs;
}

/** The own clock was set ahead by this much. */
export function samplesWithOwnClockSet(samples: OffsetSamples, byMs: number): OffsetSamples {
  return samples.map((sample) => ({
    ...sample,
    offsetMs: sample.offsetMs + byMs,
    measuredAtMs: sample.measuredAtMs + byMs,
  }));
}

/** The sample with the least error at this time; `null` without any. */
export function heldOffset(samples: OffsetSamples, nowMs: number): ClockOffset | null {
  let held: ClockOffset | null = null;
  let leastMs = Infinity;
  for (const sample of samples) {
    const errorMs = errorNow(sample, nowMs);
    if (errorMs > leastMs) continue;
    held = sample;
    leastMs = errorMs;
  }
  return held;
}

/** Bound of the offset's error at this time: that of its measurement and the drift since. */
export function errorNow(offset: ClockOffset, nowMs: number): number {
  return offset.errorMs + driftRate * Math.abs(nowMs - offset.measuredAtMs);
}

function agree(held: ClockOffset, sample: ClockOffset): boolean {
  const apartMs = Math.abs(held.offsetMs - sample.offsetMs);
  return apartMs <= errorNow(held, sample.measuredAtMs) + sample.errorMs;
}
