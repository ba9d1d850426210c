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
  return partitions.flatMap((held, partition) =>
    held
      .read(held.begin, Number.MAX_SAFE_INTEGER)
      .flatMap(({ bytes }) => ownRecord(world, { region, partition, bytes }) ?? [])
      .flatMap(({ incarnation, changes }) => changes.map((change) => ({ ...change, incarnation })))
      .flatMap(({ incarnation, collection, key, lsn }) => {
        const name = `${collection}/${key}`;
        if (world.oracle.isCommitted({ region: region.id, incarnation }, partition, { end: lsn, name }))
          return [];
        const detail = `the log of ${region.id} holds it at ${lsn}, where it was not committed`;
        return [{ checker: 'fabricated', key: name, detail }];
      }),
  );
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
