/**
 * Turns decoded commits into log records. Each record holds all changes of one partition in one interval, every
 * interval begins where the partition's last one ended, the first at the position that the slot confirmed (P2). A
 * batch with a beat covers all partitions, because a beat is what says that nothing is missing before it. The
 * packer counts own changes so that a beat can carry their number. Pure; it must never let a commit's changes for
 * one partition fall into two records.
 */
import { assert, AssertionFailure } from '../errors.ts';
import { partitionOf } from '../log/partition.ts';
import type { ChangesRecord, PlacedChange } from '../log/log-record.ts';
import type { Commit, CountedBeat, Lsn } from '../ports/change.ts';
import type { Incarnation, RegionId } from '../ports/identity.ts';

export interface Packing {
  readonly origin: RegionId;
  readonly incarnation: Incarnation;
  /** End of each partition's last interval. */
  readonly lastTo: readonly Lsn[];
  /** Own changes so far; `null`: not counted. */
  readonly count: number | null;
}

export interface Packed {
  readonly next: Packing;
  readonly records: readonly ChangesRecord[];
  readonly beats: readonly CountedBeat[];
}

/** `start` is the slot's confirmed position, `count` the number of own changes up to it. */
export function startPacking(
  identity: {
    readonly region: RegionId;
    readonly incarnation: Incarnation;
    readonly partitionCount: number;
  },
  start: Lsn,
  count: number | null,
): Packing {
  const lastTo = Array.from({ length: identity.partitionCount }, () => start);
  return {
    origin: identity.region,
    incarnation: identity.incarnation,
    lastTo,
    count,
  };
}

/** `commits` are in commit order and not empty. */
export function pack(packing: Packing, commits: readonly Commit[]): Packed {
  const to = commits.at(-1)?.end;
  assert(to !== undefined, 'a batch has a commit');
  const { origin, incarnation } = packing;
  const { beats, count } = countBeats(packing.count, commits);
  const placed = placeChanges(packing.lastTo.length, commits);
  const records: ChangesRecord[] = [];
  const lastTo = packing.lastTo.map((from, partition) => {
    const changes = placed[partition] ?? [];
    if (changes.length === 0 && beats.length === 0) return from;
    if (from >= to) throw new AssertionFailure(`commits grow: ${from} before ${to}`);
    records.push({
      kind: 'changes',
      origin,
      incarnation,
      partition,
      from,
      to,
      beats,
      changes,
    });
    return to;
  });
  return { next: { origin, incarnation, lastTo, count }, records, beats };
}

function countBeats(before: number | null, commits: readonly Commit[]) {
  const beats: CountedBeat[] = [];
  let count = before;
  for (const commit of commits) {
    for (const { number, lsn, atMs } of commit.beats)
      beats.push({ number, lsn, atMs, end: commit.end, count });
    if (count !== null) count += commit.changes.length;
  }
  return { beats, count };
}

function placeChanges(partitionCount: number, commits: readonly Commit[]): readonly PlacedChange[][] {
  const placed: PlacedChange[][] = [];
  for (let partition = 0; partition < partitionCount; partition++) placed.push([]);
  for (const { end: lsn, changes } of commits) {
    for (let index = 0; index < changes.length; index++) {
      const change = changes[index];
      if (change === undefined) continue;
      const { collection, key, delta } = change;
      placed[partitionOf(change, partitionCount)]?.push({ collection, key, delta, lsn, index });
    }
  }
  return placed;
}
