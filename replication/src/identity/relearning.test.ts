/** A database that was emptied is filled before anything of any log is read into it (P6, I6). */
import { afterEach, expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { MemoryDatabase } from '../adapters/memory/database.ts';
import { MemoryTransferJobs } from '../adapters/memory/transfer-jobs.ts';
import { ReplicationError } from '../errors.ts';
import { encodeClaim } from '../log/claim-record.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Relearning } from '../ports/incarnation-store.ts';
import type { VectorEntry } from '../ports/vector.ts';
import { Relearner } from './relearning.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const donor = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 2, nonce: 7 };
const silent = { debug() {}, info() {}, warn() {}, error() {} };
const nothing = {
  settled: [],
  ahead: [],
  whole: [],
  horizon: [],
  beats: [],
  slot: null,
  beat: null,
} as const;

let relearner: Relearner | null = null;
afterEach(() => relearner?.close());

function relearning(fill: Relearning['fill'] | 'nothing to learn', since = { sinceMs: 0, firstJob: 1 }) {
  const timer = new ManualTimer();
  const jobs = new MemoryTransferJobs(new MemoryDatabase({ nowMs: () => timer.monotonicMs() }));
  const pasts = [{ incarnation: { counter: 1, nonce: 3 }, through: 50n }];
  const wanted = { pasts, promised: null, isOpen: false, ...since };
  let state: Relearning | null = fill === 'nothing to learn' ? null : { ...wanted, fill };
  const positions: unknown[] = [];
  const peer = { isThere: false };
  const log = { isThere: true };
  const told: string[] = [];
  const closed: VectorEntry[] = [];
  const reached: VectorEntry[] = [];
  relearner = new Relearner({
    self: { region, incarnation, partitionCount: 1 },
    peers: [donor],
    closed: () => [],
    retired: () => [],
    parts: {
      store: {
        close: async (ended) => void closed.push(ended),
        closed: async () => closed,
        relearning: async () => state,
        filled: async () => {
          if (state !== null) state = { ...state, fill: null };
        },
        setOpen: async (isOpen) => {
          if (state !== null) state = { ...state, isOpen };
          told.push(isOpen ? 'opened' : 'closed');
        },
        relearnt: async () => {
          state = null;
        },
      },
      past: { hold: () => expect.fail('nobody else has claimed') },
      ownLog: null,
      control: {
        append: async () => undefined,
        read: async () => {
          if (log.isThere) return [encodeClaim({ region, incarnation })];
          throw new ReplicationError('log-unavailable', 'there is no such topic', { retriable: true });
        },
        close: async () => undefined,
      },
    },
    prepareLog: async () => void (log.isThere = true),
    read: () => expect.fail('there is no log beside the database'),
    openPosition: async ({ incarnation: life, applied }) => void positions.push([life.counter, applied]),
    transfers: {
      standing: async () => ({
        ...nothing,
        applied: reached,
        floorMs: 0,
        insertLsn: 0n,
        isEmpty: true,
        refill: 'none',
        readAtMs: 0,
      }),
    },
    donors: {
      ask: async () => {
        if (peer.isThere) return { kind: 'refused', refusal: 'busy', detail: 'two are open' };
        throw new ReplicationError('peer-unavailable', 'no answer', { retriable: true });
      },
    },
    jobs,
    onFilled: () => told.push('filled'),
    onOpen: () => void (told.includes('told') || told.push('told')),
    onLearnt: () => told.push('learnt'),
    timer,
    logger: silent,
  });
  const started = relearner;
  return { timer, jobs, told, positions, peer, log, closed, reached, relearner: started };
}

test('nothing is read before all of the donor has come, and then the rest is learnt', async () => {
  const { timer, jobs, told, relearner: learning } = relearning(donor);
  expect(learning.donor).toBe('unknown');
  learning.start();
  await timer.advance(5000);
  expect([told, learning.donor, learning.judgement]).toEqual([[], donor, { kind: 'filling', donor }]);
  const [job, ...others] = await jobs.open();
  expect([job, others]).toMatchObject([{ donor: 'us', cause: 'refill', isDryRun: false }, []]);
  await jobs.end(job?.id ?? 0, { state: 'done', detail: '' });
  await timer.advance(6000);
  expect([told, learning.donor]).toEqual([['filled', 'learnt'], null]);
});

test('a transfer that failed, or was for show, fills nothing, and is wanted again', async () => {
  const { timer, jobs, told, relearner: learning } = relearning(donor);
  const shown = await jobs.want({ donor, origin: donor, cause: 'refill', isDryRun: true });
  await jobs.end(shown, { state: 'done', detail: '' });
  learning.start();
  await timer.advance(1000);
  const first = (await jobs.open())[0]?.id ?? 0;
  await jobs.end(first, { state: 'failed', detail: 'the donor was away' });
  await timer.advance(1000);
  const second = (await jobs.open())[0]?.id ?? 0;
  expect(second).toBeGreaterThan(first);
  expect(told).toEqual([]);
});

test('where nothing is to be filled everybody may read at once', async () => {
  const { timer, told, relearner: learning } = relearning('nothing to learn');
  learning.start();
  await timer.advance(1000);
  expect([told, learning.donor]).toEqual([['filled', 'learnt'], null]);
});

test('claims that somebody deleted do not keep writes waiting', async () => {
  const { timer, jobs, told, log, relearner: learning } = relearning(donor);
  log.isThere = false;
  learning.start();
  await timer.advance(1000);
  await jobs.end((await jobs.open())[0]?.id ?? 0, { state: 'done', detail: '' });
  await timer.advance(6000);
  expect(told).toEqual(['filled', 'learnt']);
});

test('writes wait for a peer that is there, and not for one that is silent, which is learnt from later (I8)', async () => {
  const { timer, jobs, told, positions, peer, relearner: learning } = relearning(null);
  peer.isThere = true;
  learning.start();
  await timer.advance(60_000);
  expect([told, learning.judgement?.kind]).toEqual([['filled'], 'fetching']);
  peer.isThere = false;
  await timer.advance(4000);
  expect([told, learning.judgement?.kind]).toEqual([['filled', 'opened', 'told'], 'fetching']);
  expect(positions).toEqual([[1, 50n]]);
  const [job] = await jobs.open();
  await jobs.end(job?.id ?? 0, { state: 'done', detail: '' });
  await timer.advance(1000);
  expect(learning.judgement?.kind).toBe('asking');
  await timer.advance(5000);
  expect([told, learning.judgement]).toEqual([['filled', 'opened', 'told', 'learnt'], null]);
});

test('lives that are over end where they are held, also where no log says how far they went (P5, P9)', async () => {
  const { timer, jobs, told, closed, reached, relearner: learning } = relearning(null);
  const at = (counter: number, lsn: bigint) => ({
    region,
    incarnation: { counter, nonce: 3 },
    partition: 0,
    lsn,
  });
  closed.push(at(0, 20n));
  // Of a life that this database had never heard of, a peer has brought something.
  reached.push(
    at(0, 30n),
    { ...at(1, 90n), region: donor },
    { ...at(2, 60n), incarnation: { counter: 1, nonce: 8 } },
  );
  learning.start();
  await timer.advance(1000);
  expect(closed).toEqual([at(0, 20n)]);
  await jobs.end((await jobs.open())[0]?.id ?? 0, { state: 'done', detail: '' });
  await timer.advance(10_000);
  expect(told).toContain('learnt');
  expect(closed).toEqual([at(0, 20n), at(1, 0n), { ...at(1, 60n), incarnation: { counter: 1, nonce: 8 } }]);
});

test('who was away for longer than deletions are kept takes no more writes until it is filled anew (I6)', async () => {
  const { timer, jobs, told, relearner: learning } = relearning(null);
  learning.start();
  await timer.advance(5000);
  expect(told).toEqual(['filled', 'opened', 'told']);
  const [job] = await jobs.open();
  await jobs.end(job?.id ?? 0, { state: 'failed', detail: 'fill it anew' });
  await timer.advance(60_000);
  expect(told).toEqual(['filled', 'opened', 'told', 'closed']);
});

test('what is fetched counts although the clock was far ahead when the life began', async () => {
  const since = { sinceMs: 86_400_000, firstJob: 1 };
  const { timer, jobs, told, relearner: learning } = relearning(null, since);
  learning.start();
  await timer.advance(1000);
  await jobs.end((await jobs.open())[0]?.id ?? 0, { state: 'done', detail: '' });
  await timer.advance(10_000);
  expect([told, await jobs.open()]).toEqual([['filled', 'learnt'], []]);
});

test('what a former life fetched does not count although the clock was behind when this one began', async () => {
  const since = { sinceMs: -86_400_000, firstJob: 2 };
  const { timer, jobs, told, peer, relearner: learning } = relearning(null, since);
  peer.isThere = true;
  const former = await jobs.want({ donor, origin: region, cause: 'own-past', isDryRun: false });
  await jobs.end(former, { state: 'done', detail: '' });
  learning.start();
  await timer.advance(10_000);
  expect(told).toEqual(['filled']);
  expect(await jobs.open()).toMatchObject([{ id: 2, donor: 'us', cause: 'own-past' }]);
});
