/** Faults of what is stored: a database that goes back in time, one that loses a record, a log whose records come again. */
import type { HeardBeat } from '@isthmus/replication/ports/beat-store';
import { sameIncarnation } from '@isthmus/replication/ports/identity';
import type { End, Place } from './faults.ts';
import type { Copy } from './losses.ts';

/** An older copy of the database is put back; what was published meanwhile tells it from a restart (I11). */
export function restore({ world, region }: Place): End {
  const copies = [region.database.copy(), ...(region.isLogInside ? [region.log.copy()] : [])];
  const putBack = (): void => copies.forEach((copy) => copy());
  const copied = region.identity.incarnation;
  const at = region.database.wal.insert;
  const { nowMs: atMs } = world.scheduler;
  const beat = region.beats.newest?.number ?? 0;
  const copy = { putBack, copied, at, beat, atMs, isEmptied: region.refills.donor !== null };
  return () => {
    const published = region.beats.publishedThrough ?? 0n;
    if (published > at) void restoreIfKnown({ world, region }, copy);
  };
}

/** Nobody puts a copy back while the processes still find out about the one before. */
const againMs = 2000;

/** At a moment of its own: no transaction goes on over it. */
async function restoreIfKnown({ world, region }: Pick<Place, 'world' | 'region'>, copy: Copy): Promise<void> {
  if (!(await canBeKnown({ world, region }, copy))) return;
  world.scheduler.after(0, () => {
    const isRecent = world.losses.isLostSince(region, world.scheduler.nowMs - againMs);
    if (!region.isGone && !isRecent) world.restore(region, copy);
  });
}

/**
 * Where the log goes back in time with the database, some peer must have received a beat since: else nobody misses anything,
 * and the region rightly goes on as the life that it was.
 */
async function canBeKnown(
  { world, region }: Pick<Place, 'world' | 'region'>,
  copy: Pick<Copy, 'copied' | 'beat'>,
): Promise<boolean> {
  if (!region.isLogInside) return true;
  for (const peer of region.peers) {
    const { heard } = await world.regionOf(peer).beats.overview();
    if (heard.some((each) => each.origin === region.id && misses(each, copy))) return true;
  }
  return false;
}

/**
 * Whether who has received this misses something in the copy. The beats of each life are numbered anew, so those of a
 * life before say nothing.
 */
export function misses(
  heard: Pick<HeardBeat, 'incarnation' | 'beat'>,
  { copied, beat }: Pick<Copy, 'copied' | 'beat'>,
): boolean {
  if (sameIncarnation(heard.incarnation, copied)) return heard.beat.number > beat;
  return heard.incarnation.counter >= copied.counter;
}

/** A zombie or a confused broker: records come again, late, and in partitions where they do not belong. */
export function replay({ region, random, world }: Place): End {
  const partitions = region.log.partitions('changes') ?? [];
  for (const [index, partition] of partitions.entries()) {
    const held = Number(partition.end - partition.begin);
    if (held === 0) continue;
    const from = partition.begin + BigInt(random.int(held));
    const again = partition.read(from, 2000).map(({ bytes }) => ({
      partition: random.chance(0.9) ? index : random.int(partitions.length),
      bytes,
    }));
    region.log.append('changes', again);
    world.seen('records sent twice');
  }
  return () => undefined;
}

/**
 * Of what both regions hold and nobody writes again, so that nothing but a comparison can find out. An operator has a
 * doubt, and asks for one.
 */
export function loseRow({ region, other, world, random }: Place): End {
  const { records } = region.records.tables;
  const held = other.records.tables.records;
  const lossable = [...records.keyed()].filter(
    ([name, { key, state }]) =>
      key.startsWith('insert') && Buffer.compare(state, held.get(name)?.state ?? new Uint8Array(0)) === 0,
  );
  const [name, record] = lossable[random.int(lossable.length)] ?? [];
  if (name === undefined || record === undefined) return () => undefined;
  region.database.transact(true, () => records.delete(name));
  world.lostRows.push({ region, id: record });
  world.seen('row lost');
  return () => void region.verifications.want([other.id]);
}
