/**
 * When a topic's segments are left for the next one and when they are let go of, to be emptied. A segment is emptied only as a whole,
 * so limits are kept in steps of one segment: a record goes once everything in its segment is older than the time to
 * keep, or once all segments together hold more bytes than may be kept. The segment that is written to is never
 * emptied. At most one is left and one emptied in a turn, so that a turn is short. Pure.
 */
import type { Topic } from './topic.ts';

/** A segment that holds records, or did. */
export interface SegmentState {
  readonly segment: number;
  readonly openedAtMs: number;
  readonly sizeBytes: number;
}

export interface HeldSegments {
  /** The oldest first, the one that is written to last. */
  readonly states: readonly SegmentState[];
  /** Were let go of and hold something yet, because somebody still reads there. */
  readonly unemptied: readonly number[];
}

export interface RetentionTurn {
  readonly empty: number | null;
  /** The segment to write to from now on; `null`: the same as before. */
  readonly next: number | null;
}

export function retentionTurn(
  topic: Topic,
  { states, unemptied }: HeldSegments,
  nowMs: number,
): RetentionTurn {
  const current = states.at(-1);
  if (topic.segments.length === 1 || current === undefined) return { empty: null, next: null };
  const { keepMs, keepBytes } = topic.retention;
  // One segment is being filled and one may be waiting to be emptied; the others together hold what is kept.
  const steps = Math.max(1, topic.segments.length - 2);
  const isFull = current.sizeBytes >= keepBytes / steps || nowMs - current.openedAtMs >= keepMs / steps;
  const used = new Set([...states.map(({ segment }) => segment), ...unemptied]);
  const free = topic.segments.find((segment) => !used.has(segment)) ?? null;
  const [oldest, second] = states;
  const isOver =
    second !== undefined &&
    (nowMs - second.openedAtMs >= keepMs ||
      states.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) > keepBytes ||
      // One that is about to be free is waited for, rather than that another one goes before its time.
      (isFull && free === null && unemptied.length === 0));
  return {
    empty: isOver ? (oldest?.segment ?? null) : null,
    next: isFull ? free : null,
  };
}
