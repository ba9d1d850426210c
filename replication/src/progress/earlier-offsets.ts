/**
 * What the offset to a peer's clock was for beats that the peer made before its clock was set. The age of a beat is told
 * by the offset that held when it was made (P7): by a later one it would be wrong by the whole jump, for as long as that
 * beat is the newest one settled. The jump itself is known from echoes, which say nothing about beats; it is found again
 * between two beats that arrived one after the other. Until it is found, and where the peer was silent at that moment,
 * it lies after the newest beat that had arrived. What is known is bounded; the oldest goes first. Pure.
 */
import type { ClockOffset, EarlierOffset } from '../ports/beat-store.ts';

/** A smaller one is within what a lag may be wrong by, and cannot be told from a beat that came late. */
export const leastJumpMs = 500;
const keptOffsets = 8;

/** Two beats, one after the other, whose times are further apart, or closer, than beats are. */
export interface Leap {
  readonly afterBeat: number;
  readonly byMs: number;
}

export interface OffsetHistory {
  /** Oldest first. */
  readonly earlier: readonly EarlierOffset[];
  /** The last jump, while the beat before it has not been found; `null`: it has. */
  readonly soughtMs: number | null;
}

export interface Jump {
  /** That held before it. */
  readonly offsetMs: number;
  /** By which the peer's clock was set ahead. */
  readonly byMs: number;
  /** Newest beat of the peer that has arrived. */
  readonly heardBeat: number;
}

export const noHistory: OffsetHistory = { earlier: [], soughtMs: null };

export function addJump({ earlier }: OffsetHistory, jump: Jump, leaps: readonly Leap[]): OffsetHistory {
  const { offsetMs, byMs, heardBeat } = jump;
  const knownUntil = earlier.at(-1)?.untilBeat ?? -1;
  const found = leaps.findLast((leap) => leap.afterBeat > knownUntil && isOf(leap, byMs));
  const last = { offsetMs, untilBeat: found?.afterBeat ?? heardBeat };
  return { earlier: [...earlier, last].slice(-keptOffsets), soughtMs: found === undefined ? byMs : null };
}

/** With what has arrived since. */
export function seekJump(history: OffsetHistory, leaps: readonly Leap[]): OffsetHistory {
  const { earlier, soughtMs } = history;
  const last = earlier.at(-1);
  if (soughtMs === null || last === undefined) return history;
  const found = leaps.find((leap) => leap.afterBeat >= last.untilBeat && isOf(leap, soughtMs));
  if (found === undefined) return history;
  return { earlier: [...earlier.slice(0, -1), { ...last, untilBeat: found.afterBeat }], soughtMs: null };
}

/** The own clock was set ahead by this much. */
export function withOwnClockSet(history: OffsetHistory, byMs: number): OffsetHistory {
  const earlier = history.earlier.map((old) => ({ ...old, offsetMs: old.offsetMs + byMs }));
  return { ...history, earlier };
}

/** That held when the peer made this beat. */
export function offsetMsAt(
  beat: number,
  present: Pick<ClockOffset, 'offsetMs'>,
  earlier: readonly EarlierOffset[],
): number {
  return (earlier.find(({ untilBeat }) => beat <= untilBeat) ?? present).offsetMs;
}

function isOf(leap: Leap, jumpMs: number): boolean {
  return Math.abs(leap.byMs - jumpMs) < Math.abs(jumpMs) / 2;
}
