/**
 * Ages of moments that were read from one wall clock. A moment that lies further ahead than readings of that clock
 * can differ means that the clock was set back; its age is then unknown, and must never be passed off as zero.
 */

/** How far two readings of one region's clock (database and process) may disagree. */
export const clockReadingErrorMs = 1000;

/** An age of at least half of this, which is more than thirty years, says that nobody can tell it. */
export const untoldMs = 2e12;

/** `null`: unknown, because there is no such moment or it lies in the future. */
export function ageMs(nowMs: number, atMs: number | null): number | null {
  if (atMs === null) return null;
  const age = nowMs - atMs;
  return age < -clockReadingErrorMs ? null : Math.max(0, age);
}

/**
 * Where the newest own beat lies ahead the clock was set back after it, and only the next one shows by how much; where no
 * process was there before and after, not even that does.
 */
export function ownAgeMs(
  nowMs: number,
  atMs: number | null,
  newestBeat: { readonly atMs: number } | null,
): number | null {
  const isSetBack = newestBeat !== null && ageMs(nowMs, newestBeat.atMs) === null;
  const age = isSetBack ? null : ageMs(nowMs, atMs);
  return age === null || age >= untoldMs / 2 ? null : age;
}
