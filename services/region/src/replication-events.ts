/** What replication tells as it happens, turned into metrics. */
import type { CommitRead } from '@isthmus/replication/ports/change-source';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { ReplicatorEvents } from '@isthmus/replication/replicator';
import type { RegionMetrics } from './metrics.ts';
import { wallMs } from './wall-time.ts';

export function replicationEvents(metrics: RegionMetrics, region: RegionId): ReplicatorEvents {
  return {
    onApplied: (report) => {
      const { origin, changes, durationMs, waitedMs, conflicts } = report;
      if (changes > 0) {
        metrics.applyBatch(origin, changes, durationMs / 1000);
        metrics.hop('queued', origin, waitedMs / 1000);
        metrics.hop('applied', origin, durationMs / 1000);
      }
      for (const { collection, fields } of conflicts) metrics.conflicts(collection, 'last-writer', fields);
    },
    onGap: (origin, _partition, cause) => metrics.gap(origin, cause),
    onFenced: () => metrics.fenced('applier'),
    onVisible: (origin, afterMs) => metrics.visible(origin, afterMs / 1000),
    onRefused: (origin) => metrics.refused(origin, 'unreadable'),
    onSlotLost: () => metrics.gap(region, 'slot-lost'),
    onTransfer: (origin, cause) => metrics.transfer(origin, cause),
    onCollected: ({ dropped, purged }) => metrics.collected(dropped, purged),
    onPublished: ({ bytes }) => metrics.logBytes('raw', bytes),
  };
}

/** Ways of changes: out of the write-ahead log of the region itself, and over the link from others. */
export function wayEvents(metrics: RegionMetrics, region: RegionId, clock: Clock) {
  return {
    onRead: ({ committedMs, waitedMs }: CommitRead) => {
      const nowMs = wallMs(clock);
      if (nowMs !== null) metrics.hop('decoded', region, (nowMs - waitedMs - committedMs) / 1000);
      metrics.hop('relayed', region, waitedMs / 1000);
    },
    onArrived: (origin: RegionId, sentMs: number) => {
      metrics.hop('carried', origin, (Date.now() - sentMs) / 1000);
    },
  };
}
