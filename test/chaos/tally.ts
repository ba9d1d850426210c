/**
 * How many changes of an origin a target can lack, from what clients were told and from the inserts that are missing.
 * Changes of one partition arrive in the order of their commits, so with an insert everything is missing that was asked
 * for in its partition after its answer; that is the least. The most is everything that may have been written since a
 * moment before which all is there. One operation is at most one change; those of one record that were under way together
 * may share one, and those that may have found nothing to do count only for the most.
 */
import { partitionOf } from '@isthmus/replication/log/partition';
import type { HistoryEvent, Operation } from '../checkers/history.ts';
import type { Insert } from './missing.ts';

const partitionCount = 8;
/** What they are to take away may be gone. */
const mayBeVoid: ReadonlySet<Operation['kind']> = new Set(['remove', 'delete']);

interface Change {
  readonly key: string;
  readonly invokedAtMs: number;
  readonly ackedAtMs: number;
}

export class Tally {
  /** By partition, in the order of the answers. */
  readonly #certain: readonly Change[][] = Array.from({ length: partitionCount }, () => []);
  /** When each answer came that leaves it possible that something was written. */
  readonly #possibleMs: number[] = [];

  add({ operation, result, invokedAtMs, completedAtMs }: HistoryEvent): void {
    if (result === 'fail') return;
    this.#possibleMs.push(completedAtMs);
    if (result === 'ok' && !mayBeVoid.has(operation.kind))
      this.#certain[partitionOfKey(operation.key)]?.push({
        key: operation.key,
        invokedAtMs,
        ackedAtMs: completedAtMs,
      });
  }

  /** Of those that were answered before a moment. */
  least(missing: readonly Insert[], beforeMs: number): number {
    const oldest = new Map<number, Insert>();
    for (const insert of missing) {
      const partition = partitionOfKey(insert.key);
      if (insert.ackedAtMs < beforeMs && !oldest.has(partition)) oldest.set(partition, insert);
    }
    return [...oldest].reduce(
      (sum, [partition, insert]) => sum + 1 + this.#after(partition, insert.ackedAtMs, beforeMs),
      0,
    );
  }

  /** Of those that were answered after a moment. */
  most(sinceMs: number): number {
    return this.#possibleMs.length - 1 - this.#possibleMs.findLastIndex((atMs) => atMs < sinceMs);
  }

  #after(partition: number, fromMs: number, beforeMs: number): number {
    const changes = this.#certain[partition] ?? [];
    const first = changes.findLastIndex(({ ackedAtMs }) => ackedAtMs < fromMs) + 1;
    const sure = changes
      .slice(first)
      .filter(({ invokedAtMs, ackedAtMs }) => invokedAtMs > fromMs && ackedAtMs < beforeMs);
    return apart(sure);
  }
}

/** How many of them no two may be one change, given in the order of their answers. */
function apart(changes: readonly Change[]): number {
  const answeredMs = new Map<string, number>();
  let count = 0;
  for (const { key, invokedAtMs, ackedAtMs } of changes) {
    if (invokedAtMs <= (answeredMs.get(key) ?? -Infinity)) continue;
    answeredMs.set(key, ackedAtMs);
    count++;
  }
  return count;
}

function partitionOfKey(key: string): number {
  return partitionOf({ collection: 'products', key }, partitionCount);
}
