/**
 * A dead letter's id: its place in its origin's log, so that it is the same in every process and never used twice.
 * What a transfer put aside stands at no place of a change and has an index below zero. Written as origin, incarnation, partition, position and index with dots between; it needs no encoding in a path.
 */
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { DeadLetterPlace } from '@isthmus/replication/ports/dead-letter-store';

const pattern =
  /^([a-z0-9-]{1,32})\.([1-9][0-9]{0,9})\.([0-9a-f]{8})\.([0-9]{1,4})\.([0-9a-f]{1,16})\.(-?[0-9]{1,10})$/;

export function formatDeadLetterId({ origin, incarnation, partition, lsn, index }: DeadLetterPlace): string {
  const nonce = incarnation.nonce.toString(16).padStart(8, '0');
  return [origin, incarnation.counter, nonce, partition, lsn.toString(16), index].join('.');
}

/** `null`: it is no id of ours. */
export function parseDeadLetterId(id: string): DeadLetterPlace | null {
  const [, name = '', counter = '', nonce = '', partition = '', lsn = '', index = ''] =
    pattern.exec(id) ?? [];
  const origin = parseRegionId(name);
  if (origin === null || !isIndex(Number(index))) return null;
  return {
    origin,
    incarnation: { counter: Number(counter), nonce: Number.parseInt(nonce, 16) },
    partition: Number(partition),
    lsn: BigInt(`0x${lsn}`),
    index: Number(index),
  };
}

/** Whole and of 32 bits with its sign, as the log and the database hold it. */
function isIndex(index: number): boolean {
  return index === (index | 0);
}
