/** What every `IncarnationStore` must do, whatever it is made of. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BeatStore, PeerProgress } from '@isthmus/replication/ports/beat-store';
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { TombstoneStore } from '@isthmus/replication/ports/tombstone-store';
import type { Vector } from '@isthmus/replication/ports/vector';
import { region } from './record-store.contract.ts';

export interface OpenIncarnationStore {
  readonly store: IncarnationStore;
  readonly past: IdentityStore;
  readonly tombstones: Pick<TombstoneStore, 'noteAnswered'>;
  /** Of the database as it is now. */
  readonly beats: () => Pick<BeatStore, 'overview' | 'storePublished' | 'storePeerProgress'>;
  readonly jobs: () => Pick<TransferJobs, 'want' | 'end' | 'find'>;
  /** Writes beats, at once, by a clock that is ahead by so much. */
  readonly beat: (count: number, aheadMs: number) => Promise<void>;
  /** Makes the database another incarnation; returns its store. */
  readonly renew: (promised: Vector | null, counter?: number) => Promise<IncarnationStore>;
  readonly close: () => Promise<void>;
}

const us = region('us');

function told(values: Pick<PeerProgress, 'settled' | 'settledBeat'>): PeerProgress {
  const peerIncarnation = { counter: 1, nonce: 7 };
  const clocks = {
    heardAtMs: 1_700_000_000_000,
    publishedCount: null,
    clockOffset: null,
    earlierOffsets: [],
  };
  return { peer: us, peerIncarnation, echoedBeat: null, ...clocks, ...values };
}

const hourMs = 3_600_000;
const entry = (partition: number, lsn: bigint, nonce = 7) => ({
  region: us,
  incarnation: { counter: 1, nonce },
  partition,
  lsn,
});

export function incarnationStoreContract(name: string, open: () => Promise<OpenIncarnationStore>): void {
  describe(`IncarnationStore: ${name}`, () => {
    let opened: OpenIncarnationStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });

    it('keeps the first word of where a partition of an incarnation has ended', async () => {
      const { store } = opened;
      expect(await store.closed()).toEqual([]);
      for (const ended of [entry(0, 9n), entry(0, 5n), entry(0, 12n), entry(1, 2n ** 63n), entry(0, 3n, 8)])
        await store.close(ended);
      const closed = await store.closed();
      expect(closed).toHaveLength(3);
      expect(closed).toEqual(expect.arrayContaining([entry(0, 9n), entry(1, 2n ** 63n), entry(0, 3n, 8)]));
    });

    it('has nothing to learn in the incarnation that the database began with', async () => {
      expect(await opened.store.relearning()).toBeNull();
      await opened.store.relearnt(null);
      expect(await opened.store.relearning()).toBeNull();
    });

    it('keeps what a new incarnation has to learn until it is learnt (P9)', async () => {
      const promised = [entry(0, 9n), entry(1, 2n ** 63n)];
      const store = await opened.renew(promised);
      const wanted = await store.relearning();
      expect(wanted?.promised).toEqual(promised);
      expect(wanted?.pasts).toMatchObject([{ incarnation: { counter: 1 } }]);
      expect(await store.relearning()).toEqual(wanted);
      await store.relearnt(null);
      expect(await store.relearning()).toBeNull();
    });

    it('is open to writes where that was said, until it is another incarnation again', async () => {
      const store = await opened.renew(null, 2);
      expect((await store.relearning())?.isOpen).toBe(false);
      await store.setOpen(true);
      expect((await store.relearning())?.isOpen).toBe(true);
      await store.setOpen(false);
      expect((await store.relearning())?.isOpen).toBe(false);
      await store.setOpen(true);
      const again = await opened.renew(null, 3);
      expect((await again.relearning())?.isOpen).toBe(false);
      await again.relearnt(null);
      await again.setOpen(true);
      expect(await again.relearning()).toBeNull();
    });

    it('tells what was wanted in this life from what was wanted before, by number (P9)', async () => {
      const wish = { donor: us, origin: us, cause: 'own-past', isDryRun: false } as const;
      const fetched = async (): Promise<number> => {
        const id = await opened.jobs().want(wish);
        await opened.jobs().end(id, { state: 'done', detail: '' });
        return id;
      };
      const former = await fetched();
      const second = await opened.renew(null, 2);
      const from = (await second.relearning())?.firstJob;
      expect(from).toBeGreaterThan(former);
      const own = await fetched();
      expect(own).toBeGreaterThanOrEqual(from ?? Infinity);
      const left = await opened.jobs().want(wish);
      expect(await second.relearning()).toMatchObject({ firstJob: from });
      const third = await opened.renew(null, 3);
      expect(await opened.jobs().find(left)).toMatchObject({ state: 'wanted' });
      const anew = (await third.relearning())?.firstJob;
      expect(anew).toBeGreaterThan(left);
      await opened.jobs().end(left, { state: 'done', detail: '' });
      expect(await fetched()).toBeGreaterThanOrEqual(anew ?? Infinity);
    });

    it('surely holds of its past whatever it has answered to a barrier (P8, P9)', async () => {
      const { tombstones } = opened;
      for (const position of [2n ** 40n + 7n, 2n ** 40n + 3n]) await tombstones.noteAnswered(position);
      const store = await opened.renew([]);
      expect((await store.relearning())?.pasts).toMatchObject([{ through: 2n ** 40n + 7n }]);
    });

    it.each([
      ['ahead', hourMs, 0],
      ['behind', -hourMs, 0],
      ['set ahead at last', 0, hourMs],
      ['set back at last', 0, -hourMs],
    ])(
      'surely holds what forty beats followed, whatever the clock showed: %s',
      async (_, firstMs, lastMs) => {
        const { past, beat } = opened;
        await beat(3, firstMs);
        await beat(40, lastMs);
        const [third] = await past.beats(3, 3);
        const store = await opened.renew([]);
        expect(third?.lsn).toBeGreaterThan(0n);
        expect((await store.relearning())?.pasts).toMatchObject([{ through: third?.lsn }]);
      },
    );

    it('holds nothing surely by beats that too few followed, however old the clock makes them', async () => {
      await opened.beat(1, -hourMs);
      await opened.beat(39, 0);
      const store = await opened.renew([]);
      expect((await store.relearning())?.pasts).toMatchObject([{ through: 0n }]);
    });

    it('holds nothing surely where it has told nobody a position and no beat is old enough', async () => {
      const store = await opened.renew([]);
      expect((await store.relearning())?.pasts).toMatchObject([{ through: 0n }]);
    });

    it('does not speak for the log in a new life until a peer has what no log holds of those before (P7, P9)', async () => {
      await published(1, 5);
      expect(await logCount()).toBe(5);
      await opened.renew([]);
      const end = await published(1, 0);
      expect(await logCount(), 'nobody has fetched it').toBeNull();
      await opened.beats().storePeerProgress(told({ settled: [end], settledBeat: null }));
      expect(await logCount(), 'a peer holds the new life alone').toBeNull();
      await opened.beats().storePeerProgress(told({ settled: [end], settledBeat: 1 }));
      expect(await logCount()).toBe(0);
    });

    const logCount = async (): Promise<number | null> => (await opened.beats().overview()).own.logCount;

    /** So many beats are written and in the log, with as many changes before the last; returns where that ended. */
    async function published(beats: number, count: number): Promise<bigint> {
      await opened.beat(beats, 0);
      const { newest } = (await opened.beats().overview()).own;
      const beat = newest ?? expect.fail('beats were written');
      const end = beat.lsn + 64n;
      await opened.beats().storePublished([{ ...beat, count, end }]);
      return end;
    }

    it('has answered nothing in a new life', async () => {
      await opened.tombstones.noteAnswered(9n);
      const store = await opened.renew([], 2);
      expect((await store.relearning())?.pasts).toMatchObject([{ through: 9n }]);
      await store.relearnt(null);
      const again = await opened.renew([], 3);
      expect((await again.relearning())?.pasts).toMatchObject([{ incarnation: { counter: 2 }, through: 0n }]);
    });

    it('tells a promise of nothing from one that nobody knows', async () => {
      const unknown = await opened.renew(null);
      expect((await unknown.relearning())?.promised).toBeNull();
    });

    it('becomes only what was claimed, and of two claims for one counter the first stays (P9)', async () => {
      const { past } = opened;
      expect(await past.claim()).toBeNull();
      const first = { counter: 2, nonce: 1 };
      expect(await past.noteClaim(first)).toEqual(first);
      expect(await past.noteClaim({ counter: 2, nonce: 3 })).toEqual(first);
      const higher = { counter: 3, nonce: 4 };
      expect(await past.noteClaim(higher)).toEqual(higher);
      expect(await past.claim()).toEqual(higher);
      await expect(past.adopt({ claim: first, promised: null })).rejects.toMatchObject({
        code: 'identity-mismatch',
      });
      expect((await past.continuity()).kind).toBe('same');
      await past.adopt({ claim: higher, promised: null });
      expect((await past.continuity()).kind).toBe('renewed');
      await past.adopt({ claim: higher, promised: null });
      expect(await past.claim()).toBeNull();
      // A slower process of the same database must not take what was taken for it for somebody else's.
      expect(await past.noteClaim({ counter: 3, nonce: 5 })).toEqual(higher);
      expect(await past.claim()).toBeNull();
    });

    it('keeps an empty promise', async () => {
      const empty = await opened.renew([]);
      expect((await empty.relearning())?.promised).toEqual([]);
    });
  });
}
