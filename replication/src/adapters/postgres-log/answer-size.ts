/**
 * How much of a log is asked for at once. A server ends a question that takes it half a minute, however it got on with it, and
 * of an answer that is cut off nothing is kept: over a link that brings less in that time nothing would ever arrive. So less
 * is asked for after an answer that took long or did not come, and more again after one that came soon. Pure.
 */
export const mostAnswerBytes = 1024 * 1024;
const leastAnswerBytes = 16 * 1024;
const longMs = 10_000;
/** Twice as much would not take long. */
const soonMs = 2_000;

/** `tookMs`: `null` where no answer came. */
export function nextAnswerBytes(bytes: number, tookMs: number | null): number {
  if (tookMs === null || tookMs > longMs) return Math.max(leastAnswerBytes, bytes / 2);
  return tookMs < soonMs ? Math.min(mostAnswerBytes, bytes * 2) : bytes;
}
