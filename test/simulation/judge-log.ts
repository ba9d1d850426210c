/**
 * Judges the logs when a run is over: whatever stands there in a region's own name was committed by it, at that very
 * place and under that name. Nothing is made up on the way, and nothing lies beside its commit (P2, I3).
 */
import { type ChangesRecord, logRecordOrNull } from '@isthmus/replication/log/log-record';
import type { Violation } from '../checkers/history.ts';
import type { SimRegion } from './sim-region.ts';
import type { World } from './world.ts';

export function judgeLogs(world: World): readonly Violation[] {
  return world.regions.flatMap((region) => faultsOf(world, region));
}

function faultsOf(world: World, region: SimRegion): readonly Violation[] {
  const partitions = region.log.partitions('changes') ?? [];
  const found: Violation[] = [];
  for (const [partition, held] of partitions.entries())
    for (const { bytes } of held.read(held.begin, Number.MAX_SAFE_INTEGER)) {
      const record = ownRecord(world, { region, partition, bytes });
      if (record !== null) found.push(...fabricatedIn(world, record));
    }
  return found;
}

function fabricatedIn({ oracle }: World, record: ChangesRecord): readonly Violation[] {
  const { origin: region, incarnation, partition, changes } = record;
  const found: Violation[] = [];
  for (const { collection, key, lsn } of changes) {
    const name = `${collection}/${key}`;
    if (oracle.isCommitted({ region, incarnation }, partition, { end: lsn, name })) continue;
    const detail = `the log of ${region} holds it at ${lsn}, where it was not committed`;
    found.push({ checker: 'fabricated', key: name, detail });
  }
  return found;
}

interface Held {
  readonly region: SimRegion;
  readonly partition: number;
  readonly bytes: Uint8Array;
}

/** `null`: nobody takes it for one of this partition of this region. */
function ownRecord({ seals }: World, { region, partition, bytes }: Held): ChangesRecord | null {
  const record = logRecordOrNull(seals.bodyOf({ region: region.id, topic: 'changes', partition }, bytes));
  const isOwn = record?.origin === region.id && record.partition === partition;
  return isOwn && record.kind === 'changes' ? record : null;
}
