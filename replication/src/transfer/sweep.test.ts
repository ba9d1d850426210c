import { register, schema } from '@isthmus/conflict';
import { expect, it } from 'vitest';
import { emptyOffer } from '../adapters/memory/empty-offer.ts';
import { systemTimer } from '../adapters/node/system-timer.ts';
import type { RecordId } from '../ports/change.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { HashedRecord } from '../ports/record-reader.ts';
import type { TransferAnswer, TransferRequest } from '../ports/transfer-peer.ts';
import type { Standing } from '../ports/transfer-store.ts';
import type { Vector } from '../ports/vector.ts';
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

const offer = emptyOffer({ region: us, incarnation: { counter: 1, nonce: 9 } }, { vector });

const standing: Standing = {
  settled: [],
  applied: [],
  ahead: [],
  whole: [],
  horizon: [],
  floorMs: 0,
  insertLsn: 1n,
  beat: null,
  beats: [],
  slot: null,
  isEmpty: false,
  refill: 'none',
  readAtMs: 0,
};

/** Everything lies here and nothing at the peer, which says so. */
function sweepOf(
  count: number,
  stateOf: (key: string) => Uint8Array = () => state,
  { peerReached = 1n, perAnswer = Infinity } = {},
) {
  const held = Array.from({ length: count }, (_, index): HashedRecord => {
    const key = String(index).padStart(6, '0');
    return { collection: 'c', key, hash: Buffer.from(key) };
  });
  const last = { collection: 'c', key: held.at(-1)?.key ?? '' };
  const askedAtOnce: number[] = [];
  const noted: { readonly key: string; readonly reached: Vector }[] = [];
  let [kept, passedMs] = [0, 0];
  const store: SweepOptions['store'] = {
    standing: async () => standing,
    digest: async () => ({ digest: nothing, records: 0 }),
    ranges: async (after) =>
      compareIds(after, last) < 0 ? [{ until: last, digest: nothing, records: count }] : [],
    hashes: async ({ after, until }, limit) => {
      const records = held.filter((each) => compareIds(each, after) > 0 && compareIds(each, until) <= 0);
      return { records: records.slice(0, limit), through: records[limit - 1] ?? until };
    },
    states: async (ids: readonly RecordId[]) => {
      askedAtOnce.push(ids.length);
      return ids.map(({ key }) => stateOf(key));
    },
  };
  const answer = (request: TransferRequest): TransferAnswer => {
    switch (request.kind) {
      case 'open':
        return {
          kind: 'offer',
          offer: { ...offer, vector: vector.map((at) => ({ ...at, lsn: peerReached })) },
        };
      case 'ranges':
        return { kind: 'ranges', ranges: [] };
      case 'fetch': {
        const lacking = request.have.map((_, index) => index);
        const first = held.findIndex((each) => compareIds(each, request.range.after) > 0);
        const { collection, key } =
          held[first + Math.min(perAnswer, lacking.length) - 1] ?? request.range.until;
        return { kind: 'records', fetched: { records: [], through: { collection, key }, lacking } };
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
    timer: {
      ...systemTimer,
      monotonicMs: () => (passedMs += 1000),
      after: (_, fire) => systemTimer.after(0, fire),
    },
    damaged: { note: ({ key }, reached) => noted.push({ key, reached }) },
    signal: new AbortController().signal,
  });
  return { sweep, askedAtOnce, noted, kept: () => kept };
}

it('reads and keeps a bounded part of what the peer lacks, and comes to all of it (I12)', async () => {
  const { sweep, askedAtOnce, kept } = sweepOf(200);
  expect(await sweep.run()).toMatchObject({ diverged: 200, unproven: null });
  // Suspects are read again all at once, and there are 8 MiB of them at most.
  const bound = Math.ceil((8 * 1024 * 1024) / state.length);
  expect(kept()).toBeLessThanOrEqual(bound);
  expect(Math.max(...askedAtOnce)).toBeLessThanOrEqual(bound);
});

it('counts each record once where an answer ends before what it says is lacking', async () => {
  const { sweep } = sweepOf(20, () => state, { perAnswer: 5 });
  expect(await sweep.run()).toMatchObject({ diverged: 20, unproven: null });
});

const damaged = state.slice(0, -1);

it('passes over records that it cannot read, and counts, names and notes a bounded part of them (0062)', async () => {
  const { sweep, noted } = sweepOf(300, (key) => (key < '000280' ? damaged : state));
  const { named, ...counts } = await sweep.run();
  expect(counts).toMatchObject({ diverged: 300, unreadable: 280, mendable: 20 });
  const names = Array.from({ length: 10 }, (_, index) => `00000${index}`);
  expect(named).toEqual(names.map((key) => ({ collection: 'c', key, side: 'own', cause: 'malformed' })));
  expect(noted).toHaveLength(280);
  expect(noted.every(({ reached }) => reached.some(({ lsn }) => lsn === standing.insertLsn))).toBe(true);
});

it('does the same with what is damaged while it waits', async () => {
  const reads = new Set<string>();
  const { sweep, noted } = sweepOf(2, (key) => {
    const isFirst = !reads.has(key);
    reads.add(key);
    return isFirst ? state : damaged;
  });
  expect(await sweep.run()).toMatchObject({ diverged: 2, unreadable: 2, mendable: 0 });
  expect(noted.map(({ key }) => key)).toEqual(['000000', '000001']);
});

it('comes to what it cannot read behind what nobody can prove (0062)', async () => {
  const { sweep } = sweepOf(300, (key) => (key < '000280' ? state : damaged), { peerReached: 0n });
  const unproven = 'the peer has not settled what this region showed within 60000 ms';
  expect(await sweep.run()).toMatchObject({ diverged: 20, unreadable: 20, unproven });
});
