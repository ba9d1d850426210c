/**
 * What a receiver checks of a donor's answers although it trusts the donor: that nothing is left out and that the
 * work comes to an end. Ranges must ascend, an answer must go at least one step and not beyond what was asked, and its
 * records must be what a region can store, each once; what does not is `peer-unavailable`, as if nothing had been said. Pure.
 */
import { ReplicationError } from '../errors.ts';
import type { RecordId } from '../ports/change.ts';
import type { NextRange, RecordRange } from '../ports/record-reader.ts';
import type { FetchedRecords } from '../ports/transfer-peer.ts';
import { compareIds } from '../record-hash.ts';
import { nameFault } from '../record-name.ts';

export function requireAscending(after: RecordId, ranges: readonly NextRange[]): void {
  let last = after;
  for (const { until } of ranges) {
    if (compareIds(until, last) <= 0) throw unexpected('ranges that do not ascend');
    last = until;
  }
}

export function requireFetched({ after, until }: RecordRange, { records, through }: FetchedRecords): void {
  if (compareIds(through, after) <= 0 || compareIds(through, until) > 0)
    throw unexpected('records that end outside the range asked for');
  let last = after;
  for (const record of records) {
    const fault = nameFault(record);
    if (fault !== null) throw unexpected(`a record that no region can store: ${fault}`);
    if (compareIds(record, last) <= 0) throw unexpected('records that do not ascend');
    last = record;
  }
  if (compareIds(last, through) > 0) throw unexpected('a record from beyond the end of its answer');
}

export function unexpected(what: string): ReplicationError {
  return new ReplicationError('peer-unavailable', `the peer sent ${what}`, { retriable: true });
}
