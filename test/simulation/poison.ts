/**
 * What somebody writes into a region's log who may not, and what the region itself could only write by a mistake. Readers
 * have to drop all of it and go on.
 */
import { silence } from '@isthmus/replication/log/barrier-word';
import { encodeClaim } from '@isthmus/replication/log/claim-record';
import { type ChangesRecord, encodeLogRecord, logRecordOrNull } from '@isthmus/replication/log/log-record';
import { encodeProgress } from '@isthmus/replication/log/progress-record';
import type { OutgoingRecord } from '@isthmus/replication/ports/change-sink';
import type { Place } from './faults.ts';

/**
 * Records that nobody may apply and that must stop nothing (P4): forged, damaged, and sealed by the region itself though
 * they are another's or name an impossible key.
 */
export function poison(place: Place): void {
  const { region, random, world } = place;
  for (const [index, partition] of (region.log.partitions('changes') ?? []).entries()) {
    const held = Number(partition.end - partition.begin);
    if (held === 0) continue;
    const [found] = partition.read(partition.begin + BigInt(random.int(held)), 1);
    if (found === undefined) continue;
    const at = { region: region.id, topic: 'changes', partition: index } as const;
    const record = logRecordOrNull(world.seals.bodyOf(at, found.bytes));
    if (record?.kind === 'changes') region.log.append('changes', poisons(place, index, record));
    world.seen('poison');
  }
  if (region.log.partitions('control') !== null) forgeWords(place);
}

function poisons(
  { region, other, random, world }: Place,
  partition: number,
  record: ChangesRecord,
): readonly OutgoingRecord[] {
  const own = world.seals.sealer({ region: region.id, key: 0 });
  const anothers = world.seals.sealer({ region: other.id, key: 0 });
  const to = record.to + 1_000_000n;
  const plain = { partition, bytes: encodeLogRecord({ ...record, to }) };
  const change = { collection: 'things', key: 'a\0b', delta: plain.bytes, lsn: record.to, index: 0 };
  const impossible = { ...record, to, changes: [...record.changes, change] };
  const foreign = { ...record, to, origin: other.id };
  const sealed = own.seal('changes', [
    { partition, bytes: encodeLogRecord(impossible) },
    { partition, bytes: encodeLogRecord(foreign) },
  ]);
  const damaged = own.seal('changes', [plain]).map(({ bytes }) => {
    const flipped = Buffer.from(bytes);
    const place = random.int(flipped.length);
    flipped[place] = (flipped[place] ?? 0) ^ (1 + random.int(255));
    return { partition, bytes: flipped };
  });
  return [...sealed, ...damaged, plain, ...anothers.seal('changes', [plain])];
}

/** A claim that would end the region's writes, and progress that would have settled everything. */
function forgeWords({ region, other, world }: Place): void {
  const anothers = world.seals.sealer({ region: other.id, key: 0 });
  const { incarnation } = region.identity;
  const higher = { ...incarnation, counter: incarnation.counter + 1 };
  const claim = { partition: 0, bytes: encodeClaim({ region: region.id, incarnation: higher }) };
  region.log.append('control', [claim, ...anothers.seal('control', [claim])]);
  const origins = region.peers.map((origin) => ({
    origin,
    incarnation: world.regionOf(origin).identity.incarnation,
    settled: Array.from({ length: region.partitionCount }, () => 2n ** 62n),
    settledBeat: 1_000_000,
    echo: null,
  }));
  const told = {
    region: region.id,
    incarnation,
    publishedAtMs: 0,
    publishedCount: null,
    origins,
    barriers: silence,
  };
  const progress = { partition: 0, bytes: encodeProgress(told) };
  region.log.append('progress', [progress, ...anothers.seal('progress', [progress])]);
}
