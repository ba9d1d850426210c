/**
 * One record as it is stored, for operators: context, dots and siblings, and how far the changes of every peer have
 * come in the partition that the record's changes travel in. It shows what is, also of a record that is deleted. Of one
 * that a newer version wrote into it shows what can be told, and the bytes.
 */
import { partitionOf } from '@isthmus/replication/log/partition';
import type { RecordId } from '@isthmus/replication/ports/change';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { PositionRow, RecordStore } from '@isthmus/replication/ports/record-store';
import { Problem } from '../problem.ts';
import type { RecordType } from '../records/record-type.ts';
import { UnreadableRecord, unreadableAnswer } from '../records/unreadable-record.ts';

export interface RawRecordParts {
  readonly store: Pick<RecordStore, 'read' | 'positions'>;
  readonly peers: readonly RegionId[];
  readonly partitionCount: number;
}

export async function rawRecord(parts: RawRecordParts, id: RecordId, type: RecordType): Promise<unknown> {
  const { store, peers, partitionCount } = parts;
  const state = await store.read(id);
  if (state === null) throw new Problem('not-found', 'Nothing is stored under this key.');
  const partition = partitionOf(id, partitionCount);
  const rows = (await Promise.all(peers.map((peer) => store.positions(peer)))).flat();
  const positions = rows.filter((row) => row.partition === partition).map(positionAnswer);
  const { collection, key } = id;
  const shown = type.show(state);
  const whole = { collection, key, bytes: state.length, state: type.inspect(state), partition, positions };
  if (!(shown instanceof UnreadableRecord)) return whole;
  // Whoever has a newer version can take them apart.
  return { ...whole, ...unreadableAnswer(id, shown), base64: Buffer.from(state).toString('base64') };
}

function positionAnswer({ origin, incarnation, applied, settled }: PositionRow) {
  return { origin, incarnation: incarnation.counter, applied: lsnText(applied), settled: lsnText(settled) };
}

/** As Postgres writes it. */
function lsnText(lsn: bigint): string {
  const half = (value: bigint) => value.toString(16).toUpperCase();
  return `${half(lsn >> 32n)}/${half(lsn & 0xffff_ffffn)}`;
}
