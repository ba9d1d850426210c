/**
 * What the offset to a peer's clock was for beats that the peer made before its clock was set. The age of a beat is told
 * by the offset that held when it was made (P7): by a later one it would be wrong by the whole jump, for as long as that
 * beat is the newest one settled. The jump itself is known from echoes, which say nothing about beats; it is found again
 * between two beats that arrived one after the other. Until it is found, and where the peer was silent at that moment,
 * no beat is told as younger than it may be: a clock that was set ahead was set after the newest beat that has arrived,
 * one that was set back after the last beat that it can have been set after, but for beats that are fresh by the present
 * offset. What is known is bounded; the oldest goes first. Pure.
 */
import type { ClockOffset, EarlierOffset, HeardBeat } from '../ports/beat-store.ts';
import { beatIntervalMs } from './beat-interval.ts';

/** A smaller one is within what a lag may be wrong by, and cannot be told from a beat that came late. */
export const leastJumpMs = 500;
const keptOffsets = 8;
/** Older than this when it arrives, a beat may have waited, and so may beats from before a jump. */
const freshMs = 1000;

/** Two beats, one after the other, whose times are further apart, or closer, than beats are. */
export interface Leap {
  readonly afterBeat: number;
  readonly byMs: number;
}

export interface OffsetHistory {
  /** Oldest first. */
  readonly earlier: readonly EarlierOffset[];
  /** Jumps before which the last beat has not been found, oldest first: those of the last ones of `earlier`. */
  readonly sought: readonly Sought[];
}

interface Sought {
  readonly byMs: number;
  /** No later beat was made before it. */
  readonly lastBeat: number;
  /** The first beat that looked fresh, and the newest one since, while it may have waited as well; `null`: none has. */
  readonly fresh: { readonly first: number; readonly last: HeardAt } | null;
}

export interface Jump {
  /** That held before it. */
  readonly offsetMs: number;
  /** By which the peer's clock was set ahead. */
  readonly byMs: number;
  /** By how much that may be wrong. */
  readonly errorMs: number;
  /** All beats up to it were made before it, because an echo that was told later still showed the offset of before. */
  readonly agreedBeat: number;
  /** Newest beat of the peer that has arrived. */
  readonly heardBeat: HeardAt;
  /** A moment after it, by the peer's clock. */
  readonly toldAtMs: number;
  /** That holds after it. */
  readonly presentMs: number;
}

/** What has arrived since, and the present offset. */
interface News {
  readonly leaps: readonly Leap[];
  readonly heardBeat: HeardAt | null;
  readonly presentMs: number | null;
}

type HeardAt = Pick<HeardBeat, 'beat' | 'receivedAtMs'>;

export const noHistory: OffsetHistory = { earlier: [], sought: [] };

/**
 * A clock that was set back and then ahead, before a beat was found that was made in between, counts as set once: each
 * beat made in between is older by both of the other offsets.
 */
export function addJump(history: OffsetHistory, jump: Jump, leaps: readonly Leap[]): OffsetHistory {
  const last = history.earlier.at(-1);
  const sought = history.sought.at(-1);
  const isSetBack = sought?.fresh === null && sought.byMs < 0;
  if (!isSetBack || jump.byMs < 0 || last === undefined) return addOne(history, jump, leaps);
  const before = { earlier: history.earlier.slice(0, -1), sought: history.sought.slice(0, -1) };
  const byMs = sought.byMs + jump.byMs;
  const isUndone = Math.abs(byMs) < leastJumpMs;
  return isUndone ? before : addJump(before, { ...jump, offsetMs: last.offsetMs, byMs }, leaps);
}

function addOne({ earlier, sought }: OffsetHistory, jump: Jump, leaps: readonly Leap[]): OffsetHistory {
  const { offsetMs, byMs, errorMs, heardBeat, agreedBeat } = jump;
  const lastUntil = earlier.at(-1)?.untilBeat ?? -1;
  const knownUntil = Math.max(agreedBeat, lastUntil);
  // A silence before that looks like the leap and is none.
  const since = Math.max(agreedBeat, lastUntil + 1);
  const after = leaps.filter((leap) => leap.afterBeat >= since);
  const found =
    after.findLast((leap) => isOf(leap, byMs)) ?? after.find((leap) => mayBeOf(leap, { byMs, errorMs }));
  if (found !== undefined) return withLast(earlier, { offsetMs, untilBeat: found.afterBeat }, []);
  const next = { byMs, lastBeat: lastBeatBefore(jump), fresh: null };
  const { presentMs } = jump;
  const last = { offsetMs, untilBeat: knownUntil };
  return stillSought(earlier, last, { sought: [...sought, next], heardBeat, presentMs });
}

export function seekJump(history: OffsetHistory, { leaps, heardBeat, presentMs }: News): OffsetHistory {
  const { earlier, sought } = history;
  const last = earlier.at(-1);
  const of = sought.at(-1);
  if (of === undefined || last === undefined || heardBeat === null || presentMs === null) return history;
  const before = earlier.slice(0, -1);
  // The leap of the jump before this one is no leap of this one, unless no beat came between two that were ahead.
  const since = of.byMs > 0 ? last.untilBeat : (before.at(-1)?.untilBeat ?? -1) + 1;
  const hiding = leaps.filter((leap) => leap.afterBeat >= since && mayHide(leap, of.byMs));
  // A short one ahead and back hides in the silence of no set-back that is much longer.
  const [found] = of.byMs > 0 ? hiding : hiding.toSorted((a, b) => a.byMs - b.byMs);
  if (found !== undefined) return withLast(before, { ...last, untilBeat: found.afterBeat }, []);
  return stillSought(before, last, { sought, heardBeat, presentMs });
}

/**
 * Where the jump after it is found, one that is still sought is no longer: it was made before that, and no beat from after
 * both is told by what held before either.
 */
function withLast(
  before: readonly EarlierOffset[],
  last: EarlierOffset,
  sought: readonly Sought[],
): OffsetHistory {
  const mostUntil = sought.length === 0 ? last.untilBeat : Infinity;
  const bounded = before.map((old) => ({ ...old, untilBeat: Math.min(old.untilBeat, mostUntil) }));
  return { earlier: [...bounded, last].slice(-keptOffsets), sought: sought.slice(-keptOffsets) };
}

interface Seeking {
  /** The last one is that of `last`. */
  readonly sought: readonly Sought[];
  readonly heardBeat: HeardAt;
  readonly presentMs: number;
}

/** Between the two offsets a beat is older by the one that is less. */
function stillSought(
  before: readonly EarlierOffset[],
  last: EarlierOffset,
  { sought, heardBeat, presentMs }: Seeking,
): OffsetHistory {
  const of = sought.at(-1);
  if (of === undefined) return withLast(before, last, sought);
  const { byMs, lastBeat } = of;
  const { number } = heardBeat.beat;
  const left = number <= lastBeat ? sought : [];
  if (byMs > 0) {
    const untilBeat = Math.max(last.untilBeat, Math.min(number, lastBeat));
    return withLast(before, { ...last, untilBeat }, left);
  }
  const first = of.fresh?.first ?? (isFresh(heardBeat, presentMs) ? number : null);
  if (first === null) return withLast(before, { ...last, untilBeat: lastBeat }, left);
  const isSure = of.fresh !== null && isInTime(of.fresh.last, heardBeat);
  const next = { ...of, fresh: { first, last: heardBeat } };
  const untilBeat = Math.min(first - 1, lastBeat);
  return withLast(
    before,
    { ...last, untilBeat },
    isSure || left.length === 0 ? [] : [...sought.slice(0, -1), next],
  );
}

/** Beats that have waited come faster than they were made, and one that looks fresh among them may have waited as well. */
function isInTime(from: HeardAt, to: HeardAt): boolean {
  const madeMs = (to.beat.number - from.beat.number) * beatIntervalMs;
  return madeMs > 0 && madeMs < 2 * (to.receivedAtMs - from.receivedAtMs);
}

/** Beats are an interval apart or more, and the clock showed this at most before it was set. */
function lastBeatBefore({ byMs, heardBeat, toldAtMs }: Jump): number {
  const { number, atMs } = heardBeat.beat;
  const beats = Math.floor((toldAtMs - byMs - atMs) / beatIntervalMs) + 1;
  return number + Math.max(-1, beats);
}

function isFresh({ beat, receivedAtMs }: HeardAt, offsetMs: number): boolean {
  const lateMs = receivedAtMs - beat.atMs - offsetMs;
  return lateMs > -leastJumpMs && lateMs < freshMs;
}

/** The own clock was set ahead by this much. */
export function withOwnClockSet(history: OffsetHistory, byMs: number): OffsetHistory {
  const earlier = history.earlier.map((old) => ({ ...old, offsetMs: old.offsetMs + byMs }));
  return { earlier, sought: history.sought.map((sought) => soughtWithOwnClockSet(sought, byMs)) };
}

/** Of a jump of the peer's clock all is told by that, but when its beats arrived. */
function soughtWithOwnClockSet(sought: Sought, byMs: number): Sought {
  if (sought.fresh === null) return sought;
  const { first, last } = sought.fresh;
  return { ...sought, fresh: { first, last: { ...last, receivedAtMs: last.receivedAtMs + byMs } } };
}

/** That held when the peer made this beat. */
export function offsetMsAt(
  beat: number,
  present: Pick<ClockOffset, 'offsetMs'>,
  earlier: readonly EarlierOffset[],
): number {
  return (earlier.find(({ untilBeat }) => beat <= untilBeat) ?? present).offsetMs;
}

/** Beats never come too close but where a clock was set back; a silence at that moment makes the leap look smaller. */
function isOf(leap: Leap, jumpMs: number): boolean {
  if (jumpMs < 0) return leap.byMs < 0 && leap.byMs > 1.5 * jumpMs;
  return Math.abs(leap.byMs - jumpMs) < jumpMs / 2;
}

/** Of how far a clock was set ahead an echo may say little that was long on its way. */
function mayBeOf(leap: Leap, { byMs, errorMs }: Pick<Jump, 'byMs' | 'errorMs'>): boolean {
  return byMs > 0 && mayHide(leap, byMs) && leap.byMs - byMs < byMs / 2 + errorMs;
}

/** A silence at that moment makes a leap ahead look greater. */
function mayHide(leap: Leap, jumpMs: number): boolean {
  return jumpMs < 0 ? isOf(leap, jumpMs) : leap.byMs > jumpMs / 2;
}
