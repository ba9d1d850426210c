/** What replication tells as it happens, turned into metrics. */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { ReplicatorEvents } from '@isthmus/replication/replicator';
import type { RegionMetrics } from './metrics.ts';

export function replicationEvents(metrics: RegionMetrics, region: RegionId): ReplicatorEvents {
  return {
    onApplied: (report) => {
      const { origin, changes, durationMs, conflicts } = report;
      if (changes > 0) metrics.applyBatch(origin, changes, durationMs / 1000);
      for (const { collection, fields } of conflicts) metrics.conflicts(collection, 'last-writer', fields);
    },
    onGap: (origin, _partition, cause) => metrics.gap(origin, cause),
    onFenced: () => metrics.fenced('applier'),
    onVisible: (origin, afterMs) => metrics.visible(origin, afterMs / 1000),
    onRefused: (origin) => metrics.refused(origin),
    onSlotLost: () => metrics.gap(region, 'slot-lost'),
    onTransfer: (origin, cause) => metrics.transfer(origin, cause),
    onCollected: ({ dropped, purged }) => metrics.collected(dropped, purged),
    onPublished: ({ bytes }) => metrics.logBytes('raw', bytes),
  };
}
