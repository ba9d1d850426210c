/**
 * The target's view (P7): how old the oldest change of an origin is that is known or presumed not to be applied
 * here, and how many are known to wait. The age is that of the newest beat settled in all partitions, moved onto the
 * own clock by the offset that held when it was made, so it rises with the wall clock while the link is cut and comes
 * out of the tables unchanged after a restart. Without a position, a beat or an offset between the clocks it is unknown,
 * which is never zero.
 */
import { clockReadingErrorMs } from '../age.ts';
import { changesBetween } from '../change-count.ts';
import type { ClockOffset, EarlierOffset, HeardBeat } from '../ports/beat-store.ts';
import type { CountedBeat } from '../ports/change.ts';
import { type Incarnation, sameIncarnation } from '../ports/identity.ts';
import { errorNow } from './clock-offset.ts';
import { offsetMsAt } from './earlier-offsets.ts';
import type { SettledPositions } from './settled-positions.ts';

/** What was made or heard longer ago than this says nothing any more about how much waits at the origin. */
const heardStaleMs = 2000;

export interface Lag {
  /** `null`: unknown, take it as unbounded. */
  readonly seconds: number | null;
  /** Changes counted at the origin and not settled here; `null`: unknown. */
  readonly backlogChanges: number | null;
}

/** Changes that the origin's own log held when it told so. */
export interface ToldCount {
  readonly incarnation: Incarnation;
  readonly count: number;
  /** Own clock. */
  readonly receivedAtMs: number;
}

export interface LagInput {
  readonly positions: SettledPositions | null;
  /** Newest beat of this origin that arrived here. */
  readonly heard: HeardBeat | null;
  /** `null`: the origin has told nothing. */
  readonly told: ToldCount | null;
  readonly clockOffset: ClockOffset | null;
  readonly earlierOffsets: readonly EarlierOffset[];
  readonly nowMs: number;
}

export function lagOf(input: LagInput): Lag {
  if (hasNewerIncarnation(input)) return { seconds: null, backlogChanges: null };
  return { seconds: lagSeconds(input), backlogChanges: backlog(input) };
}

/** Beats of a life of the origin that we hold no positions for: nothing that we hold measures it. */
function hasNewerIncarnation({ positions, heard }: LagInput): boolean {
  if (positions === null || heard === null) return false;
  return heard.incarnation.counter > positions.incarnation.counter;
}

function lagSeconds(input: LagInput): number | null {
  const beat = input.positions?.beat ?? null;
  const lagMs = beat === null ? null : ageOfBeat(beat, input);
  return lagMs === null ? null : Math.max(0, lagMs) / 1000;
}

/** Since it was made, by the own clock; a little below 0 where the clocks are not known better. */
function ageOfBeat(beat: CountedBeat, input: LagInput): number | null {
  const { clockOffset, earlierOffsets, nowMs } = input;
  if (clockOffset === null) return null;
  const ageMs = nowMs - beat.atMs - offsetMsAt(beat.number, clockOffset, earlierOffsets);
  const slackMs = errorNow(clockOffset, nowMs) + clockReadingErrorMs;
  return ageMs < -slackMs ? null : ageMs;
}

/**
 * Beats stand behind everything that waits before them, so after a long cut even the newest that has arrived is old; what
 * the origin tells of its log comes beside them.
 */
function backlog(input: LagInput): number | null {
  const { positions, told, nowMs } = input;
  const settled = positions?.beat?.count ?? null;
  if (positions === null || settled === null) return null;
  const counts = [countOfHeard(input), told]
    .filter((said) => said !== null)
    .filter(({ incarnation }) => sameIncarnation(incarnation, positions.incarnation))
    .filter(({ receivedAtMs }) => Math.abs(nowMs - receivedAtMs) <= heardStaleMs)
    .map(({ count }) => count);
  if (counts.length === 0) return null;
  const missing = changesBetween(settled, Math.max(...counts));
  return missing === null ? null : Math.max(0, missing);
}

/** A beat that waited for its log or for the link may arrive late: what has been written since is not in its count. */
function countOfHeard(input: LagInput): ToldCount | null {
  if (input.heard === null) return null;
  const { incarnation, beat, receivedAtMs } = input.heard;
  const ageMs = ageOfBeat(beat, input);
  if (beat.count === null || ageMs === null || ageMs > heardStaleMs) return null;
  return { incarnation, count: beat.count, receivedAtMs };
}
