/**
 * Whole transfers between two regions in memory, with the shipped donor, receiver and conflict library: the
 * interleavings that P6 and P7 name.
 */
import { merge } from '@isthmus/conflict';
import { pause } from '@isthmus/replication/backoff';
import { ManualTimer } from '@isthmus/replication/adapters/memory/manual-timer';
import { MemoryTransferPeer } from '@isthmus/replication/adapters/memory/transfer-peer';
import { ReplicationError } from '@isthmus/replication/errors';
import type {
  Offer,
  TransferAnswer,
  TransferPeer,
  TransferRequest,
} from '@isthmus/replication/ports/transfer-peer';
import { partitionOf } from '@isthmus/replication/log/partition';
import { Receiver, type Received } from '@isthmus/replication/transfer/receiver';
import { ownEntries } from '@isthmus/replication/reach';
import { maxReadBytes } from '@isthmus/replication/record-hash';
import { placeOf } from '@isthmus/replication/vector';
import { Sweep, type SweepFinding, type SweepOptions } from '@isthmus/replication/transfer/sweep';

import { beforeEach, describe, expect, it } from 'vitest';
import { epochMs, MemoryRegion, Product } from './memory-region.ts';

const id = (key: string) => ({ collection: 'products', key });
const maxDriftMs = 60_000;

let timer: ManualTimer;
let eu: MemoryRegion;
let us: MemoryRegion;
let peer: TransferPeer;

beforeEach(() => {
  timer = new ManualTimer();
  eu = new MemoryRegion('eu', timer);
  us = new MemoryRegion('us', timer);
  peer = new MemoryTransferPeer((region) => (region === 'eu' ? eu : us).donor, timer);
});

/** Lets time pass until the work is done. */
async function passing<T>(work: Promise<T>): Promise<T> {
  const life = new AbortController();
  const end = (): void => life.abort();
  void work.then(end, end);
  for (let turns = 0; !life.signal.aborted; turns++) {
    if (turns > 10_000) return expect.fail('the work comes to no end');
    await timer.advance(100);
  }
  return work;
}

async function transfer(from = peer, signal = new AbortController().signal): Promise<Received> {
  const wish = { donor: eu.self.region, origin: eu.self.region, cause: 'gap', isDryRun: false } as const;
  const job = await us.jobs.find(await us.jobs.want(wish));
  if (job === null) return expect.fail('the job was just noted');
  await timer.advance(1000);
  const { self, transfers: store, jobs, damaged } = us;
  const clock = { nowMs: () => epochMs + timer.monotonicMs() };
  const rest = { clock, timer, maxDriftMs, damaged, signal };
  const receiver = new Receiver(job, { self, peer: from, store, jobs, ...rest });
  const received = await passing(receiver.run());
  if (received.outcome.kind !== 'postponed') await us.jobs.end(job.id, { state: 'done', detail: '' });
  return received;
}

/** Asks as another does, and does something before some of the questions. */
function disturbed(other: TransferPeer, disturb: (request: TransferRequest) => Promise<void>): TransferPeer {
  return {
    ask: async (region, request): Promise<TransferAnswer> => {
      await disturb(request);
      return other.ask(region, request);
    },
  };
}

/** Keeps the offers that are made. */
function listening(offers: Offer[]): TransferPeer {
  return {
    ask: async (region, request): Promise<TransferAnswer> => {
      const answer = await peer.ask(region, request);
      if (answer.kind === 'offer') offers.push(answer.offer);
      return answer;
    },
  };
}

/** Answers no question of this kind; tells each that it is asked. */
function hanging(kind: TransferRequest['kind'], onAsked: (request: TransferRequest) => void): TransferPeer {
  return {
    ask: (region, request, signal): Promise<TransferAnswer> => {
      const answer = new Promise<TransferAnswer>((resolve, reject) => {
        const gone = new ReplicationError('peer-unavailable', 'nobody waits', { retriable: true });
        signal?.addEventListener('abort', () => reject(gone));
        if (request.kind !== kind) peer.ask(region, request, signal).then(resolve, reject);
      });
      onAsked(request);
      return answer;
    },
  };
}

/** Ends what asks once it hangs. */
function endingAt(kind: TransferRequest['kind']) {
  const [end, asked] = [new AbortController(), new Set<string>()];
  const donor = hanging(kind, (request) => {
    asked.add(request.kind);
    if (request.kind === kind) end.abort();
  });
  return { donor, signal: end.signal, asked };
}

type SweptStore = SweepOptions['store'];

const slowMs = 500;

/** The database of a region, at which every digest takes its time. */
function slowly({ transfers }: MemoryRegion): SweptStore {
  return {
    standing: () => transfers.standing(),
    ranges: (after) => transfers.ranges(after),
    hashes: (range, limit) => transfers.hashes(range, limit),
    states: (ids) => transfers.states(ids),
    digest: async (range) => {
      await pause(timer, slowMs, new AbortController().signal);
      return transfers.digest(range);
    },
  };
}

async function titles(region: MemoryRegion): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const { key, state } of await region.records.list({ ...id(''), prefix: '', after: null, limit: 2000 }))
    found[key] = Product.read(state).value?.title;
  return found;
}

describe('a transfer', () => {
  it('fills an empty region, and raises its positions to what it has proven', async () => {
    for (let index = 0; index < 30; index++)
      await eu.edit(id(`k${index}`), (e) => e.set('title', `t${index}`));
    const written = eu.database.wal.insert;
    const offers: Offer[] = [];
    expect((await transfer(listening(offers))).outcome).toEqual({ kind: 'done' });
    expect(await titles(us)).toEqual(await titles(eu));
    const lsn = offers[0]?.vector[0]?.lsn ?? 0n;
    expect(lsn >= written).toBe(true);
    const positions = await us.records.positions(eu.self.region);
    expect(positions.map(({ partition, applied, settled }) => [partition, applied, settled])).toEqual(
      [0, 1, 2, 3].map((partition) => [partition, lsn, lsn]),
    );
    const { beat, settled } = positions[0] ?? expect.fail('a position was opened');
    expect(beat !== null && beat.end <= settled).toBe(true);
    expect(epochMs + timer.monotonicMs() - (beat?.atMs ?? 0)).toBeLessThan(1000);
  });

  it('takes small records over large ones in transactions that read a bounded part of them (I12)', async () => {
    const ids = Array.from({ length: 400 }, (_, index) => id(`k${index}`));
    for (const each of ids) {
      await us.edit(each, (e) => e.set('title', 'x'.repeat(60_000)));
      await eu.edit(each, (e) => e.add('tags', ['eu']));
    }
    const read: number[] = [];
    const { transfers } = us;
    const merged = transfers.merge.bind(transfers);
    transfers.merge = (transaction) =>
      merged({
        ...transaction,
        decide: (locked) => {
          read.push(locked.states.reduce((sum, { length }) => sum + length, 0));
          return transaction.decide(locked);
        },
      });
    expect((await transfer()).outcome).toEqual({ kind: 'done' });
    expect(Math.max(...read)).toBeLessThan(maxReadBytes + 100_000);
    expect(read.reduce((sum, each) => sum + each, 0)).toBeGreaterThan(5 * maxReadBytes);
  });

  it('waits while its donor would stamp what is written first beyond the drift bound (P3)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'a'));
    const floorMs = epochMs + 2 * maxDriftMs;
    eu.database.transact(true, () => eu.records.setFloors({ ...eu.records.floors, floorMs }));
    const detail = 'ms beyond the drift bound';
    expect(await transfer()).toMatchObject({
      outcome: { kind: 'postponed', detail: expect.stringContaining(detail) },
    });
    expect([await titles(us), us.records.floors.floorMs, eu.donor.openCount]).toEqual([{}, 0, 0]);
    await timer.advance(maxDriftMs);
    expect((await transfer()).outcome.kind).toBe('done');
    expect([await titles(us), us.records.floors.floorMs]).toEqual([{ a: 'a' }, floorMs]);
  });

  it('does not carry a change that its donor has not published (P6)', async () => {
    await timer.advance(1000);
    eu.isPublishing = false;
    await eu.edit(id('secret'), (e) => e.set('title', 'not yet'));
    const { outcome } = await transfer();
    expect(outcome).toMatchObject({ kind: 'postponed', detail: expect.stringContaining('unpublished') });
    expect(await titles(us)).toEqual({});
    expect(eu.donor.openCount).toBe(0);
    eu.isPublishing = true;
    expect((await transfer()).outcome.kind).toBe('done');
    expect(await titles(us)).toEqual({ secret: 'not yet' });
  });

  it('waits until its donor has reached the beginning of a slot that was made anew (P6)', async () => {
    await eu.edit(id('lost'), (e) => e.set('title', 'lost'));
    await timer.advance(1000);
    await us.records.createPosition({
      origin: eu.self.region,
      incarnation: eu.self.incarnation,
      partition: partitionOf(id('lost'), 4),
      applied: 1n,
      settled: 1n,
      beat: null,
      nextOffset: 0n,
    });
    eu.database.wal.dropSlot();
    const life = await eu.slots.renew();
    expect(await eu.donor.answer({ kind: 'open' })).toMatchObject({ refusal: 'below-slot' });
    expect(await transfer()).toEqual({ outcome: { kind: 'done' }, refused: 0, isSlotLost: true });
    for (const { applied } of await us.records.positions(eu.self.region))
      expect(applied >= life.from).toBe(true);
  });

  it('brings what was deleted where what lives agrees, so that it does not come back (P6)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'same'));
    await us.take({ ...id('a'), state: await eu.state(id('a')) });
    const added = await eu.edit(id('a'), (e) => e.add('tags', ['gone']));
    await eu.edit(id('a'), (e) => e.remove('tags', ['gone']));
    expect(Product.read(await us.state(id('a'))).value).toEqual(Product.read(await eu.state(id('a'))).value);
    await transfer();
    const late = merge(await us.state(id('a')), added);
    expect(late.changed).toBe(false);
    expect(Product.read(late.state).value?.tags).toEqual([]);
  });

  it('merges and loses nothing that was written here meanwhile, and sends nothing back', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'eu'));
    timer.pause(1000);
    const writing = disturbed(peer, async ({ kind }) => {
      if (kind === 'fetch') await us.edit(id('a'), (e) => e.set('title', 'us'));
    });
    await transfer(writing);
    expect(await titles(us)).toEqual({ a: 'us' });
    expect(await titles(eu)).toEqual({ a: 'eu' });
  });

  it('goes on under another snapshot, and raises to the least of both (P6)', async () => {
    for (let index = 0; index < 1200; index++) await eu.edit(id(`k${index}`), (e) => e.set('title', 'old'));
    const offers: Offer[] = [];
    let fetches = 0;
    const cutting = disturbed(listening(offers), async (request) => {
      if (request.kind !== 'fetch' || ++fetches !== 2) return;
      for (const key of ['k0', 'k999']) await eu.edit(id(key), (e) => e.set('title', 'new'));
      throw new ReplicationError('peer-unavailable', 'the link is cut', { retriable: true });
    });
    expect((await transfer(cutting)).outcome.kind).toBe('done');
    const reached = offers.map(({ vector }) => vector[0]?.lsn ?? 0n);
    expect(reached.length).toBe(2);
    for (const { applied, beat } of await us.records.positions(eu.self.region)) {
      expect(applied).toBe(reached[0]);
      expect(beat).toEqual(offers[0]?.beats[0]?.beat);
    }
    expect(await titles(us)).toMatchObject({ k0: 'old', k999: 'new' });
  });

  it('refuses what a change would be refused for, and holds `settled` before it (P6)', async () => {
    await eu.edit(id('good'), (e) => e.set('title', 'good'));
    const ahead = id('ahead');
    await eu.edit(ahead, (e) => e.set('title', 'from tomorrow'), epochMs + 86_400_000);
    const offers: Offer[] = [];
    await transfer(listening(offers));
    const lsn = offers[0]?.vector[0]?.lsn;
    expect(await titles(us)).toEqual({ good: 'good' });
    const held = partitionOf(ahead, 4);
    for (const { partition, applied, settled } of await us.records.positions(eu.self.region))
      expect([applied, settled]).toEqual([lsn, partition === held ? 0n : lsn]);
    expect(await us.records.countDeadLetters()).toMatchObject([
      { origin: 'eu', cause: 'clock-too-far-ahead', count: 1 },
    ]);
  });

  it('puts nothing aside of a pass that lay below what was collected here meanwhile (P6, P8)', async () => {
    await eu.edit(id('good'), (e) => e.set('title', 'good'));
    await eu.edit(id('mended'), (e) => e.set('title', 'mended'));
    const mended = await eu.state(id('mended'));
    await eu.take({ ...id('mended'), state: Uint8Array.of(1, 2, 3) });
    const { horizon } = us.transfers;
    let reads = 0;
    const collecting = disturbed(peer, async (request) => {
      if (request.kind !== 'ranges' || ++reads !== 2) return;
      us.database.transact(true, () => {
        for (const entry of ownEntries(eu.self, eu.database.wal.insert)) horizon.put(placeOf(entry), entry);
      });
      await eu.take({ ...id('mended'), state: mended });
    });
    expect((await transfer(collecting)).outcome).toEqual({ kind: 'done' });
    expect(await titles(us)).toEqual({ good: 'good', mended: 'mended' });
    expect(await us.records.countDeadLetters()).toEqual([]);
  });

  it('closes the dead letters that it really covers (P6)', async () => {
    const delta = await eu.edit(id('a'), (e) => e.set('title', 'a'));
    const partition = partitionOf(id('a'), 4);
    const { region: origin, incarnation } = eu.self;
    await us.records.createPosition({
      origin,
      incarnation,
      partition,
      applied: 1n,
      settled: 1n,
      beat: null,
      nextOffset: 0n,
    });
    const cause = 'clock-too-far-ahead' as const;
    const letter = { ...id('a'), partition, lsn: 2n, index: 0, delta, cause, detail: '', stampMs: epochMs };
    const stray = {
      ...letter,
      lsn: 3n,
      delta: Uint8Array.of(1, 2, 3),
      cause: 'malformed' as const,
      stampMs: null,
    };
    const move = { incarnation, partition, expected: 1n, applied: 3n, beat: null, nextOffset: 1n };
    const decide = () => ({ writes: [], deadLetters: [letter, stray] });
    await us.records.applyRemote({ origin, positions: [move], ids: [], decide });
    await transfer();
    expect(await us.records.countDeadLetters()).toMatchObject([{ origin, cause: 'malformed', count: 1 }]);
    const row = (await us.records.positions(origin)).find((each) => each.partition === partition);
    expect(row?.settled).toBe(2n);
  });

  it('stopped at any point is gone on with by another process', async () => {
    for (let index = 0; index < 20; index++) await eu.edit(id(`k${index}`), (e) => e.set('title', 't'));
    for (let stopAt = 1; stopAt < 6; stopAt++) {
      const end = new AbortController();
      let asked = 0;
      const stopping = disturbed(peer, async () => {
        if (++asked === stopAt) end.abort();
      });
      await transfer(stopping, end.signal);
    }
    expect((await transfer()).outcome.kind).toBe('done');
    expect(await titles(us)).toEqual(await titles(eu));
    await timer.advance(61_000);
    expect(eu.donor.openCount).toBe(0);
  });

  /** As after a barrier of the donor that everybody had reached. */
  const collected = (other: TransferPeer): TransferPeer => ({
    ask: async (region, request): Promise<TransferAnswer> => {
      const answer = await other.ask(region, request);
      if (answer.kind !== 'offer') return answer;
      return { kind: 'offer', offer: { ...answer.offer, horizon: ownEntries(eu.self, 5n) } };
    },
  });

  it('waits for no answer once it is stopped, and gives its snapshot back', async () => {
    const { donor, signal, asked } = endingAt('ranges');
    expect((await transfer(donor, signal)).outcome.kind).toBe('postponed');
    expect(asked).toEqual(new Set(['open', 'ranges', 'close']));
  });

  it('into an empty region goes on after any stop, though its donor has collected (P6)', async () => {
    for (let index = 0; index < 20; index++) await eu.edit(id(`k${index}`), (e) => e.set('title', 't'));
    for (const stopAt of [3, 4]) {
      const end = new AbortController();
      let asked = 0;
      const stopping = disturbed(peer, async () => {
        if (++asked === stopAt) end.abort();
      });
      expect((await transfer(collected(stopping), end.signal)).outcome.kind).toBe('postponed');
    }
    expect(await titles(us)).not.toEqual({});
    expect((await transfer(collected(peer))).outcome).toEqual({ kind: 'done' });
    expect(await titles(us)).toEqual(await titles(eu));
  });

  it('into a region that was away for longer than that fails, and says what to do (P6)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'eu'));
    await us.edit(id('b'), (e) => e.set('title', 'us'));
    expect((await transfer(collected(peer))).outcome).toMatchObject({
      kind: 'failed',
      detail: expect.stringContaining('isthmus region refill'),
    });
    expect(await titles(us)).toEqual({ b: 'us' });
  });

  it('from a donor that was set back below what was collected here reads none of its records, and says whom to fill (P6)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'same'));
    await us.take({ ...id('a'), state: await eu.state(id('a')) });
    const { horizon } = us.transfers;
    us.database.transact(true, () => {
      for (const entry of ownEntries(eu.self, eu.database.wal.insert + 1_000_000n))
        horizon.put(placeOf(entry), entry);
    });
    const asked = new Set<string>();
    const counting = disturbed(peer, async ({ kind }) => void asked.add(kind));
    expect((await transfer(counting)).outcome).toMatchObject({
      kind: 'postponed',
      detail: expect.stringContaining('fill the donor anew'),
    });
    expect(asked).toEqual(new Set(['open', 'close']));
    us.database.transact(true, () => horizon.clear());
    expect((await transfer()).outcome).toEqual({ kind: 'done' });
  });
});

describe('a donor', () => {
  it('opens few snapshots at a time and closes each after a minute', async () => {
    await timer.advance(1000);
    const open = () => passing(eu.donor.answer({ kind: 'open' }));
    const [first, second, third] = [await open(), await open(), await open()];
    expect([first.kind, second.kind, third]).toMatchObject(['offer', 'offer', { refusal: 'busy' }]);
    if (first.kind !== 'offer' || second.kind !== 'offer') return expect.fail('both were served');
    await eu.donor.answer({ kind: 'close', snapshot: first.offer.snapshot });
    expect(eu.donor.openCount).toBe(1);
    await timer.advance(60_000);
    const { snapshot } = second.offer;
    const late = await eu.donor.answer({ kind: 'ranges', snapshot, after: id('') });
    expect([late, eu.donor.openCount]).toMatchObject([{ refusal: 'snapshot-gone' }, 0]);
  });
});

describe('a sweep', () => {
  const sweep = async (
    donor = peer,
    store: SweptStore = us.transfers,
    signal = new AbortController().signal,
  ): Promise<SweepFinding> => {
    await timer.advance(1000);
    const { self, damaged } = us;
    const clock = { nowMs: () => epochMs + timer.monotonicMs() };
    return passing(
      new Sweep({ self, peer: eu.self.region, donor, store, clock, timer, damaged, signal }).run(),
    );
  };

  /** The target has settled whatever the source has by now. */
  async function settle(target: MemoryRegion, source: MemoryRegion): Promise<void> {
    const { region } = source.self;
    const vector = ownEntries(source.self, source.database.wal.insert);
    const job = await target.jobs.want({ donor: region, origin: region, cause: 'repair', isDryRun: true });
    const decide = ({ letters }: { readonly letters: readonly unknown[] }) => letters.map(() => false);
    await target.transfers.raise({
      region: target.self.region,
      given: [],
      whole: [],
      beats: [],
      floorMs: 0,
      job,
      vector,
      partitionOf: () => 0,
      decide,
    });
  }

  /** The log brings that about again and again, from a moment on. */
  function keepOn(target: MemoryRegion, source: MemoryRegion, afterMs = 0): void {
    const next = (delayMs: number): void => {
      timer.after(delayMs, () => void again());
    };
    const again = async (): Promise<void> => {
      await settle(target, source);
      next(250);
    };
    next(afterMs);
  }

  function keepBothOn(): void {
    keepOn(us, eu);
    keepOn(eu, us);
  }

  it('of equal regions is clean, whatever they know of deletions', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'same'));
    await us.take({ ...id('a'), state: await eu.state(id('a')) });
    await eu.edit(id('a'), (e) => e.add('tags', ['gone']));
    await eu.edit(id('a'), (e) => e.remove('tags', ['gone']));
    keepBothOn();
    expect(await sweep()).toMatchObject({ diverged: 0 });
  });

  it('rests after what the database worked, and not after what it waited for', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'same'));
    await us.take({ ...id('a'), state: await eu.state(id('a')) });
    const far = disturbed(peer, async () => void (await pause(timer, 400, new AbortController().signal)));
    const begunMs = timer.monotonicMs();
    expect(await sweep(far)).toMatchObject({ diverged: 0 });
    expect(timer.monotonicMs() - begunMs).toBeLessThan(6000);
    const busy = slowly(us);
    const againMs = timer.monotonicMs();
    expect(await sweep(peer, busy)).toMatchObject({ diverged: 0 });
    expect(timer.monotonicMs() - againMs).toBeGreaterThan(20 * slowMs);
  });

  it('waits for a peer that serves too many others now, and does not begin anew for it', async () => {
    for (let index = 0; index < 3000; index++)
      await eu.edit(id(`k${index}`), (e) => e.set('title', `t${index}`));
    for (const { key, state } of await eu.records.list({ ...id(''), prefix: '', after: null, limit: 3000 }))
      await us.take({ ...id(key), state });
    let opened = 0;
    const asked: string[] = [];
    const sought: TransferPeer = {
      ask: async (region, request, signal) => {
        if (request.kind === 'open' && opened++ % 3 < 2)
          return { kind: 'refused', refusal: 'busy', detail: '2 snapshots are open, at most 2 are' };
        if (request.kind === 'ranges') asked.push(request.after.key);
        return peer.ask(region, request, signal);
      },
    };
    keepBothOn();
    expect(await sweep(sought)).toMatchObject({ diverged: 0, unproven: null });
    expect(asked).toHaveLength(new Set(asked).size);
    expect(opened).toBeGreaterThan(asked.length);
  });

  it('gives up a peer that serves nobody', async () => {
    const full: TransferPeer = {
      ask: () => Promise.resolve({ kind: 'refused', refusal: 'busy', detail: '2 snapshots are open' }),
    };
    await expect(sweep(full)).rejects.toMatchObject({ code: 'peer-unavailable' });
  });

  it('waits for no answer once it is stopped, and gives its snapshot back', async () => {
    const { donor, signal, asked } = endingAt('ranges');
    await expect(sweep(donor, us.transfers, signal)).rejects.toMatchObject({ code: 'peer-unavailable' });
    expect(asked).toEqual(new Set(['open', 'ranges', 'close']));
  });

  it('finds what one side lacks though it has settled it, on either side, and merges nothing (P7)', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'only in eu'));
    await us.edit(id('z'), (e) => e.set('title', 'only in us'));
    keepBothOn();
    expect((await sweep()).diverged).toBe(2);
    expect(await titles(us)).toEqual({ z: 'only in us' });
  });

  it('does not take for diverged what is merely on its way here', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'on its way'));
    keepOn(eu, us);
    timer.after(8000, () => void eu.state(id('a')).then((state) => us.take({ ...id('a'), state })));
    keepOn(us, eu, 8500);
    expect((await sweep()).diverged).toBe(0);
    expect(await titles(us)).toEqual({ a: 'on its way' });
  });

  it('does not take for diverged what is merely on its way there', async () => {
    await us.edit(id('a'), (e) => e.set('title', 'on its way'));
    keepOn(us, eu);
    timer.after(8000, () => void us.state(id('a')).then((state) => eu.take({ ...id('a'), state })));
    keepOn(eu, us, 8500);
    expect((await sweep()).diverged).toBe(0);
    expect(await titles(eu)).toEqual({ a: 'on its way' });
  });

  it('proves nothing where a side does not catch up', async () => {
    await eu.edit(id('a'), (e) => e.set('title', 'late'));
    keepOn(eu, us);
    const unproven = expect.stringMatching(/^this region has not settled/);
    expect(await sweep()).toMatchObject({ diverged: 0, unproven });
  });
});
