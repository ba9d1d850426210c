/**
 * The topics of a log that lies in the region's own database: which segments each has and what it keeps. `changes`
 * holds the log records, one partition for each partition of positions; `progress` how far the region has settled each
 * peer's changes, of which only the newest matters; `control` the claims of incarnations, kept for ever (P9). Names and
 * segments are those of the tables, which peers read: they are part of the protocol between regions.
 */

import type { Statement } from '../postgres/session.ts';

/** The largest record that passes, compressed or not: as in Kafka. */
export const maxRecordBytes = 4 * 1024 * 1024;

const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;

export type TopicName = 'changes' | 'progress' | 'control';

export interface Retention {
  readonly keepMs: number;
  /** On disk, with indexes. */
  readonly keepBytes: number;
}

/** Where claims are kept, for ever. */
export const controlSegment = 18;

export interface Topic {
  readonly name: TopicName;
  /** The ring of its segments; one alone is never emptied. */
  readonly segments: readonly number[];
  readonly retention: Retention;
}

/** A week of absence is repaired from the log, unless more than this was written meanwhile. */
export const defaultRetention: Retention = { keepMs: 7 * 24 * hourMs, keepBytes: 1024 * mebibyte };

export function topicsOf(changes: Retention): readonly Topic[] {
  return [
    { name: 'changes', segments: Array.from({ length: 16 }, (_, index) => index), retention: changes },
    { name: 'progress', segments: [16, 17], retention: { keepMs: hourMs, keepBytes: 64 * mebibyte } },
    { name: 'control', segments: [controlSegment], retention: { keepMs: Infinity, keepBytes: Infinity } },
  ];
}

/** Of a name, with the region, the number of partitions and the first segment; nothing happens where it is there. */
export const createTopic: Statement = {
  name: 'isthmus_log_topic_create',
  text: `WITH topic AS (
    INSERT INTO isthmus.log_topic (name, region, partition_count, segment) VALUES ($1, $2, $3, $4)
    ON CONFLICT (name) DO NOTHING RETURNING name, segment)
  INSERT INTO isthmus.log_segment (segment, topic, first_offset) SELECT segment, name, 0 FROM topic`,
};
