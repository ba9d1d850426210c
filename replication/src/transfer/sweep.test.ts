import { register, schema } from '@isthmus/conflict';
import { expect, it } from 'vitest';
import { systemTimer } from '../adapters/node/system-timer.ts';
import type { RecordId } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { HashedRecord } from '../ports/record-reader.ts';
import type { Offer, TransferAnswer, TransferRequest } from '../ports/transfer-peer.ts';
import type { Standing } from '../ports/transfer-store.ts';
import { compareIds } from '../record-hash.ts';
import { Sweep, type SweepOptions } from './sweep.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const nothing = new Uint8Array(0);
const { state } = schema({ title: register() }).edit(nothing, { actor: 'eu.1.00000007', now: 1 }, (edit) =>
  edit.set('title', 'x'.repeat(60_000)),
);

const self = { region: eu, incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 };
const vector = [{ region: eu, incarnation: self.incarnation, partition: 0, lsn: 1n }];

const offer: Offer = {
  region: us,
  incarnation: { counter: 1, nonce: 9 },
  snapshot: 's',
  vector,
  beats: [],
  ahead: [],
  horizon: [],
  floorMs: 0,
  slot: null,
  beatAgeMs: 0,
};

const standing: Standing = {
  settled: [],
  applied: [],
  ahead: [],
  horizon: [],
  floorMs: 0,
  insertLsn: 1n,
  beat: null,
  beats: [],
  slot: null,
  isEmpty: false,
  readAtMs: 0,
};

/** Everything lies here and nothing at the peer, which says so. */
function sweepOf(count: number) {
  const held = Array.from({ length: count }, (_, index): HashedRecord => {
    const key = String(index).padStart(6, '0');
    return { collection: 'c', key, hash: Buffer.from(key) };
  });
  const last = { collection: 'c', key: held.at(-1)?.key ?? '' };
  const askedAtOnce: number[] = [];
  let kept = 0;
  const store: SweepOptions['store'] = {
    standing: async () => standing,
    digest: async () => ({ digest: nothing, records: 0 }),
    ranges: async (after) =>
      compareIds(after, last) < 0 ? [{ until: last, digest: nothing, records: count }] : [],
    hashes: async ({ after, until }, limit) =>
      held.filter((each) => compareIds(each, after) > 0 && compareIds(each, until) <= 0).slice(0, limit),
    states: async (ids: readonly RecordId[]) => {
      askedAtOnce.push(ids.length);
      return ids.map(() => state);
    },
  };
  const answer = (request: TransferRequest): TransferAnswer => {
    switch (request.kind) {
      case 'open':
        return { kind: 'offer', offer };
      case 'ranges':
        return { kind: 'ranges', ranges: [] };
      case 'fetch': {
        const lacking = request.have.map((_, index) => index);
        return { kind: 'records', fetched: { records: [], through: request.range.until, lacking } };
      }
      case 'states':
        kept = Math.max(kept, request.ids.length);
        return { kind: 'states', states: request.ids.map(() => nothing) };
      case 'close':
        return { kind: 'closed' };
    }
  };
  const sweep = new Sweep({
    self,
    peer: us,
    donor: { ask: async (_, request) => answer(request) },
    store,
    clock: { nowMs: () => 0 },
    timer: { ...systemTimer, after: (_, fire) => systemTimer.after(0, fire) },
    signal: new AbortController().signal,
  });
  return { sweep, askedAtOnce, kept: () => kept };
}

it('reads and keeps a bounded part of what the peer lacks, and comes to all of it (I12)', async () => {
  const { sweep, askedAtOnce, kept } = sweepOf(300);
  expect(await sweep.run()).toMatchObject({ diverged: 300 });
  // Suspects are read again all at once, and there are 8 MiB of them at most.
  const bound = Math.ceil((8 * 1024 * 1024) / state.length);
  expect(kept()).toBeLessThanOrEqual(bound);
  expect(Math.max(...askedAtOnce)).toBeLessThanOrEqual(bound);
});
