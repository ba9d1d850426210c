/**
 * The topics of a region, named and configured. `changes` holds the log records, one partition for each partition
 * of positions; `progress` how far the region has settled each peer's changes, of which only the newest matters;
 * `control` the claims of incarnations, kept for ever (P9). The names and settings are part of the protocol between
 * regions: a peer derives the names by itself.
 */
import type { ITopicConfig } from 'kafkajs';
import type { RegionId } from '../../ports/identity.ts';

/** The largest value of a record that passes, compressed or not. */
export const maxRecordBytes = 4 * 1024 * 1024;

/** The isolation of reads: our log holds no transactions, and somebody's hung one must not stall it. */
export const readUncommitted = 0;

const batchFrameBytes = 4 * 1024;
const hourMs = 3_600_000;
const progressRetentionMs = hourMs;
const progressSegmentMs = hourMs / 4;
const keepForEver = -1;

export function changesTopic(region: RegionId): string {
  return `isthmus.${region}.changes`;
}

export function progressTopic(region: RegionId): string {
  return `isthmus.${region}.progress`;
}

export function controlTopic(region: RegionId): string {
  return `isthmus.${region}.control`;
}

export interface TopicPlan {
  readonly region: RegionId;
  readonly partitionCount: number;
  readonly replicas: number;
  readonly retentionMs: number;
}

/** More than these make every publish wait longer, and survive nothing that a peer does not. */
const mostReplicas = 3;

/** How many replicas topics have where nobody says it: as many as there are brokers now, up to three. */
export function replicasFor(brokerCount: number): number {
  return Math.min(mostReplicas, brokerCount);
}

export function topicsOf(plan: TopicPlan): ITopicConfig[] {
  const common = {
    'cleanup.policy': 'delete',
    'min.insync.replicas': Math.max(1, plan.replicas - 1),
    'max.message.bytes': maxRecordBytes + batchFrameBytes,
    // By the broker's clock: one that is set wrongly on the machine of a relay would have records refused, or removed at once.
    'message.timestamp.type': 'LogAppendTime',
  };
  const topic = (name: string, numPartitions: number, settings: Record<string, number>): ITopicConfig => ({
    topic: name,
    numPartitions,
    replicationFactor: plan.replicas,
    configEntries: Object.entries({ ...common, ...settings }).map(([setting, value]) => ({
      name: setting,
      value: String(value),
    })),
  });
  return [
    topic(changesTopic(plan.region), plan.partitionCount, {
      'retention.ms': plan.retentionMs,
    }),
    topic(progressTopic(plan.region), 1, {
      'retention.ms': progressRetentionMs,
      'segment.ms': progressSegmentMs,
    }),
    topic(controlTopic(plan.region), 1, { 'retention.ms': keepForEver }),
  ];
}
