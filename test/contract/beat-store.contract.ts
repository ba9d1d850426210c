/**
 * What every `BeatStore` must do, whatever it is made of: one holder writes beats, and the figures of lag and RPO come
 * out of the tables by the formulas of P7.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  BeatHold,
  BeatStore,
  HeardBeat,
  PeerProgress,
  RpoFigures,
} from '@isthmus/replication/ports/beat-store';
import type { Beat, CountedBeat, Lsn } from '@isthmus/replication/ports/change';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { PositionRow, RecordStore } from '@isthmus/replication/ports/record-store';
import { rpoOfLog, rpoOfPeer } from '@isthmus/replication/progress/rpo';

export interface OpenBeatStores {
  /** Two stores on one database, as two processes have them. */
  readonly store: BeatStore;
  readonly other: BeatStore;
  /** Of a process that has written no beat. */
  readonly newcomer: () => Promise<BeatHold | null>;
  /** Of the same database. */
  readonly records: Pick<RecordStore, 'createPosition'>;
  /** Loses the slot with all that it had not read and makes it anew; returns where the new one begins. */
  readonly loseSlot: () => Promise<Lsn>;
  /** This peer is retired. */
  readonly retire: (peer: RegionId) => Promise<unknown>;
  /** The region's clock is set back by so much: what was written before lies that much later. */
  readonly setClockBack: (byMs: number) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The peers that the stores must be opened with. */
export const peers: readonly RegionId[] = [region('asia'), region('us')];
const [asia, us] = [region('asia'), region('us')];
const firstLife = { counter: 1, nonce: 7 };

export function beatStoreContract(name: string, open: () => Promise<OpenBeatStores>): void {
  describe(`BeatStore: ${name}`, () => {
    let opened: OpenBeatStores;
    const stores = (): OpenBeatStores => opened;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(async () => {
      await opened.close();
    });
    describe('the hold', () => holding(stores));
    describe('counts', () => counting(stores));
    describe('slots that are lost', () => lostSlots(stores));
    describe('RPO', () => rpo(stores));
    describe('progress of peers', () => progress(stores));
    describe('heard beats', () => heard(stores));
    describe('positions', () => positions(stores));
  });
}

function holding(stores: () => OpenBeatStores): void {
  it('is with one process at a time, and free again once released', async () => {
    const hold = await taken(stores().store);
    expect(await stores().other.tryHold()).toBeNull();
    expect(await stores().store.tryHold()).toBeNull();
    await hold.release();
    await hold.release();
    const next = await taken(stores().other);
    expect(await stores().store.tryHold()).toBeNull();
    await next.release();
    await expect(hold.beat()).rejects.toMatchObject({ code: 'database-unavailable' });
  });

  it('writes beats with growing numbers and times, from whichever process', async () => {
    expect((await stores().store.overview()).own.newest).toBeNull();
    const written: Beat[] = [];
    for (const store of [stores().store, stores().other, stores().store]) {
      const hold = await taken(store);
      await hold.beat();
      written.push(await newest(stores().other));
      await hold.beat();
      written.push(await newest(stores().other));
      await hold.release();
    }
    expect(written.map((beat) => beat.number)).toEqual([1, 2, 3, 4, 5, 6]);
    for (const [index, beat] of written.entries()) {
      const before = written[index - 1];
      if (before === undefined) continue;
      expect(beat.lsn > before.lsn).toBe(true);
      expect(beat.atMs).toBeGreaterThan(before.atMs);
      expect(await stores().store.beatAtMs(beat.number)).toBe(beat.atMs);
    }
    expect(await stores().store.beatAtMs(7)).toBeNull();
  });
}

function counting(stores: () => OpenBeatStores): void {
  it('are kept with the end of the commit', async () => {
    const [first, second] = counted(await beats(stores().store, 2), [5, null]);
    await stores().store.storePublished([first, second]);
    expect(await stores().other.countAt(first.end)).toBe(5);
    expect(await stores().other.countAt(second.end)).toBeNull();
    expect(await stores().other.countAt(first.end + 1n)).toBeNull();
  });

  it('tell the newest beat from the newest counted one', async () => {
    const [first, second] = counted(await beats(stores().store, 3), [5, null, 0]);
    await stores().store.storePublished([first, second]);
    const own = (await stores().other.overview()).own;
    expect(own.newest?.number).toBe(3);
    expect(own.newestCounted).toEqual(first);
  });

  it("cover the own log up to the newest beat with the published one's count", async () => {
    const all = counted(await beats(stores().store, 4), [5, 6, 6, 7]);
    expect((await stores().other.overview()).own).toMatchObject({ logCoveredAtMs: null, logCount: null });
    await stores().store.storePublished(all.slice(0, 1));
    expect((await stores().other.overview()).own).toMatchObject({ logCoveredAtMs: all[0].atMs, logCount: 5 });
    await stores().store.storePublished(all.slice(1, 3));
    expect((await stores().other.overview()).own).toMatchObject({
      logCoveredAtMs: all[2]?.atMs,
      logCount: 6,
    });
    await stores().store.storePublished(all.slice(0, 1));
    expect((await stores().other.overview()).own).toMatchObject({ logCount: 6 });
  });
}

function lostSlots(stores: () => OpenBeatStores): void {
  const logCount = async (): Promise<number | null> => (await stores().other.overview()).own.logCount;

  it('leave the log where it was until a peer holds what it lacks (P6, P7)', async () => {
    const before = counted(await beats(stores().store, 2), [5, 6]);
    await stores().store.storePublished(before);
    const from = await stores().loseSlot();
    const after = counted(await beats(stores().store, 2), [7, 7]);
    await stores().store.storePublished(after);
    const own = (await stores().other.overview()).own;
    expect(own).toMatchObject({ logCoveredAtMs: before[1].atMs, logCount: 6, newestCounted: { count: 7 } });
    await stores().store.storePeerProgress(told({ settled: [from, from - 1n] }));
    expect(await logCount()).toBe(6);
    await stores().store.storePeerProgress(told({ settled: [from, from] }));
    expect(await logCount()).toBe(7);
  });

  it('leave it there again once the only peer that held it is retired (P7, P8)', async () => {
    await stores().store.storePublished(counted(await beats(stores().store, 2), [5, 6]));
    const from = await stores().loseSlot();
    await stores().store.storePublished(counted(await beats(stores().store, 2), [7, 7]));
    for (const peer of peers) await stores().store.storePeerProgress(told({ peer, settled: [from, from] }));
    await stores().retire(asia);
    expect(await logCount(), 'the other one holds it').toBe(7);
    await stores().retire(us);
    expect(await logCount()).toBe(6);
  });

  it('count from the first one whose changes nobody holds', async () => {
    await stores().store.storePublished(counted(await beats(stores().store, 2), [5, 6]));
    const first = await stores().loseSlot();
    await stores().store.storePublished(counted(await beats(stores().store, 2), [7, 8]));
    const second = await stores().loseSlot();
    await stores().store.storePublished(counted(await beats(stores().store, 2), [9, 9]));
    expect(await logCount()).toBe(6);
    await stores().store.storePeerProgress(told({ settled: [first, first] }));
    expect(await logCount()).toBe(8);
    await stores().store.storePeerProgress(told({ settled: [second, second] }));
    expect(await logCount()).toBe(9);
  });
}

function rpo(stores: () => OpenBeatStores): void {
  it('names every configured peer, and knows nothing of those never heard', async () => {
    await beats(stores().store, 1);
    expect((await stores().store.overview()).rpo).toEqual(peers.map(neverHeard));
    await stores().store.storePeerProgress(told({ settledBeat: null, echoedBeat: 1 }));
    expect((await stores().other.overview()).rpo).toEqual(peers.map(neverHeard));
  });

  it('reaches to the newest counted beat with the count that the peer has settled (P7)', async () => {
    const all = counted(await beats(stores().store, 5), [5, 6, 6, null, 8]);
    await stores().store.storePublished(all);
    const figuresAt = async (settledBeat: number): Promise<RpoFigures | undefined> => {
      await stores().store.storePeerProgress(told({ settledBeat }));
      const figures = (await stores().other.overview()).rpo;
      return figures.find((figure) => figure.peer === us);
    };
    expect(await figuresAt(1)).toEqual({ peer: us, coveredAtMs: all[0].atMs, settledCount: 5 });
    expect(await figuresAt(2)).toEqual({ peer: us, coveredAtMs: all[2]?.atMs, settledCount: 6 });
    // Not counted: covered up to itself, and how many changes that is nobody knows.
    expect(await figuresAt(4)).toEqual({ peer: us, coveredAtMs: all[3]?.atMs, settledCount: null });
    expect(await figuresAt(5)).toEqual({ peer: us, coveredAtMs: all[4]?.atMs, settledCount: 8 });
  });

  it('does not fall when the clock is set back, for peers and for the log (P7)', async () => {
    const [first, second] = counted(await beats(stores().store, 2), [5, 6]);
    await stores().store.storePublished([first, second]);
    await stores().store.storePeerProgress(told({ settledBeat: 1 }));
    await stores().setClockBack(60_000);
    await beats(stores().store, 1);
    await stores().setClockBack(30_000);
    await beats(stores().store, 1);
    const now = await newest(stores().store);
    const peer = (await stores().other.overview()).rpo.find((figure) => figure.peer === us);
    const log = (await stores().other.overview()).own;
    for (const coveredAtMs of [peer?.coveredAtMs, log.logCoveredAtMs]) {
      expect(now.atMs - (coveredAtMs ?? Infinity)).toBeGreaterThanOrEqual(0);
      expect(now.atMs - (coveredAtMs ?? -Infinity)).toBeLessThan(30_000);
    }
  });

  it('tells the time of the newest counted beat by the clock as it goes now (P7)', async () => {
    const [first, second] = counted(await beats(stores().store, 2), [5, 6]);
    await stores().store.storePublished([first, second]);
    await stores().setClockBack(60_000);
    await beats(stores().store, 1);
    const { newest: now, newestCounted } = (await stores().other.overview()).own;
    const ageMs = (now?.atMs ?? -Infinity) - (newestCounted?.atMs ?? Infinity);
    expect(ageMs).toBeGreaterThanOrEqual(0);
    expect(ageMs).toBeLessThan(30_000);
  });

  it('counts the time since a beat of another process that was made while the clock was ahead (P7)', async () => {
    const [first] = await beats(stores().store, 1);
    await stores().setClockBack(-60_000);
    const [second] = await beats(stores().store, 1, stores().newcomer);
    await stores().store.storePublished(
      counted(
        [first, second].flatMap((beat) => beat ?? []),
        [5, 6],
      ),
    );
    await stores().store.storePeerProgress(told({ settledBeat: 2 }));
    await stores().setClockBack(60_000);
    await beats(stores().store, 1);
    const now = await newest(stores().store);
    const peer = (await stores().other.overview()).rpo.find((figure) => figure.peer === us);
    expect(now.atMs - (peer?.coveredAtMs ?? Infinity)).toBeGreaterThan(0);
    expect(now.atMs - (peer?.coveredAtMs ?? -Infinity)).toBeLessThan(30_000);
  });

  it('is unknown where the clock was set back while no process was there that had beaten before, until a later beat is settled (P7)', async () => {
    const [first, second] = counted(await beats(stores().store, 2), [5, 6]);
    await stores().store.storePublished([first, second]);
    await stores().store.storePeerProgress(told({ settledBeat: 1 }));
    await stores().setClockBack(60_000);
    const [third, fourth] = counted(await beats(stores().store, 2, stores().newcomer), [6, 7]);
    const shown = async () => {
      const { rpo: figures, own } = await stores().store.overview();
      const peer = figures.find((figure) => figure.peer === us) ?? null;
      const nowMs = own.newest?.atMs ?? Infinity;
      return [rpoOfPeer(peer, own, nowMs).seconds, rpoOfLog(own, nowMs).seconds];
    };
    expect(await shown()).toEqual([null, null]);
    await stores().other.storePublished([third, fourth]);
    await stores().store.storePeerProgress(told({ settledBeat: 3 }));
    for (const seconds of await shown()) expect(seconds).toBeLessThan(60);
  });

  it('is known where a process stood by meanwhile that looked at the beats before (P7)', async () => {
    const { store, other, setClockBack } = stores();
    const hold = await taken(store);
    await hold.beat();
    const first = await newest(store);
    await other.look();
    for (let count = 0; count < 2; count++) await hold.beat();
    await other.look();
    await store.storePublished(counted([first, await newest(store)], [5, 6]));
    await store.storePeerProgress(told({ settledBeat: 1 }));
    await hold.release();
    await setClockBack(60_000);
    await beats(other, 1);
    const { rpo: figures, own } = await store.overview();
    const peer = figures.find((figure) => figure.peer === us) ?? null;
    const nowMs = own.newest?.atMs ?? Infinity;
    for (const { seconds } of [rpoOfPeer(peer, own, nowMs), rpoOfLog(own, nowMs)]) {
      expect(seconds).toBeGreaterThan(0);
      expect(seconds).toBeLessThan(30);
    }
  });

  it('does not reach beyond what the relay counted, however young the beats are', async () => {
    const all = counted(await beats(stores().store, 4), [5, 5, 5, 5]);
    await stores().store.storePublished(all.slice(0, 2));
    await stores().store.storePeerProgress(told({ settledBeat: 1 }));
    const figures = (await stores().store.overview()).rpo;
    expect(figures).toContainEqual({ peer: us, coveredAtMs: all[1]?.atMs, settledCount: 5 });
  });

  it('names a peer that is no longer configured but was heard', async () => {
    await stores().store.storePeerProgress({ ...told({ settledBeat: null }), peer: region('mars') });
    const figures = (await stores().store.overview()).rpo;
    expect(figures.map((figure) => figure.peer)).toEqual(['asia', 'mars', 'us']);
  });
}

function progress(stores: () => OpenBeatStores): void {
  const stored = async (): Promise<readonly PeerProgress[]> => (await stores().other.overview()).progress;

  it('is kept for each peer', async () => {
    const clockOffset = { offsetMs: -3.5, errorMs: 0.25, measuredAtMs: 1_700_000_000_000.5 };
    const earlierOffsets = [
      { offsetMs: -30_003.25, untilBeat: 7 },
      { offsetMs: 1e-7, untilBeat: 2 ** 40 },
    ];
    const measured = { clockOffset, earlierOffsets };
    const first = told({ settled: [1n, 2n ** 63n], settledBeat: 3, echoedBeat: 4, ...measured });
    const second = { ...told({ settled: null, settledBeat: null, echoedBeat: null }), peer: asia };
    for (const value of [first, second]) await stores().store.storePeerProgress(value);
    expect(await stored()).toEqual([second, first]);
  });

  it('never goes back within one incarnation', async () => {
    const clockOffset = { offsetMs: 1, errorMs: 1, measuredAtMs: 1 };
    await stores().store.storePeerProgress(
      told({
        settled: [10n, 20n],
        settledBeat: 5,
        echoedBeat: 9,
        heardAtMs: 50,
        publishedCount: 70,
        clockOffset,
      }),
    );
    await stores().store.storePeerProgress(
      told({ settled: [11n, 19n], settledBeat: 4, echoedBeat: 8, heardAtMs: 40, publishedCount: 60 }),
    );
    expect(await stored()).toEqual([
      told({
        settled: [11n, 20n],
        settledBeat: 5,
        echoedBeat: 9,
        heardAtMs: 50,
        publishedCount: 70,
        clockOffset,
      }),
    ]);
  });

  it('was heard when its last word came, though the own clock was set back before that (P7)', async () => {
    const at = async (heardAtMs: number, echoedBeat: number): Promise<number | undefined> => {
      await stores().store.storePeerProgress(told({ settled: [10n], echoedBeat, heardAtMs }));
      return (await stored())[0]?.heardAtMs;
    };
    expect(await at(90_000, 9)).toBe(90_000);
    expect(await at(30_000, 9)).toBe(30_000);
    expect(await at(30_250, 10)).toBe(30_250);
    expect(await at(30_500, 8), 'told before').toBe(30_250);
  });

  it('has settled no beat any more once that is told later, because our past is awaited there (P9)', async () => {
    const at = async (echoedBeat: number | null, settledBeat: number | null): Promise<number | null> => {
      await stores().store.storePeerProgress(told({ settled: [10n, 20n], settledBeat, echoedBeat }));
      return (await stored())[0]?.settledBeat ?? null;
    };
    expect(await at(9, 5)).toBe(5);
    expect(await at(8, null), 'told before').toBe(5);
    expect(await at(9, null)).toBe(null);
    expect(await at(8, 4), 'told before').toBe(null);
    expect(await at(10, 6)).toBe(6);
    expect(await at(null, null)).toBe(null);
  });

  it('knows no published count any more once none is told, until one is told again', async () => {
    const ofCount = (heardAtMs: number, publishedCount: number | null): PeerProgress =>
      told({ settled: [10n, 20n], settledBeat: 5, echoedBeat: 9, heardAtMs, publishedCount });
    for (const [heardAtMs, count] of [
      [50, 70],
      [60, null],
      [70, 80],
    ] as const) {
      await stores().store.storePeerProgress(ofCount(heardAtMs, count));
      expect(await stored()).toEqual([ofCount(heardAtMs, count)]);
    }
  });

  it('is replaced by that of a new incarnation, never the maximum of both (P7)', async () => {
    await stores().store.storePeerProgress(told({ settled: [10n, 20n], settledBeat: 5, echoedBeat: 9 }));
    const reborn = told({ peerIncarnation: { counter: 2, nonce: 1 }, settled: [3n, 30n], settledBeat: 2 });
    await stores().store.storePeerProgress(reborn);
    expect(await stored()).toEqual([reborn]);
  });

  it('promises nothing any more once the peer is known under a later life, before that has told anything (I5, I10)', async () => {
    await stores().store.storePublished(counted(await beats(stores().store, 2), [5, 6]));
    const from = await stores().loseSlot();
    await stores().store.storePublished(counted(await beats(stores().store, 2), [7, 7]));
    const first = told({ settled: [from, from], settledBeat: 4, echoedBeat: 4 });
    await stores().store.storePeerProgress(first);
    const row = { origin: us, partition: 0, applied: 1n, settled: 1n, beat: null, nextOffset: 0n };
    await stores().records.createPosition({ ...row, incarnation: firstLife });
    const known = await stores().other.overview();
    expect(known.rpo.find(({ peer }) => peer === us)).toMatchObject({ settledCount: 7 });
    expect([known.own.logCount, known.progress]).toEqual([7, [first]]);

    const later = { counter: firstLife.counter + 1, nonce: 1 };
    await stores().records.createPosition({ ...row, incarnation: later });
    const now = await stores().other.overview();
    expect(now.rpo.find(({ peer }) => peer === us)).toEqual(neverHeard(us));
    expect([now.own.logCount, now.progress]).toEqual([6, [{ ...first, settled: null, settledBeat: null }]]);
    await stores().store.storePeerProgress({ ...first, echoedBeat: 5 });
    expect((await stores().other.overview()).progress).toMatchObject([{ settled: null, echoedBeat: 5 }]);
    const reborn = { ...first, peerIncarnation: later };
    await stores().store.storePeerProgress(reborn);
    expect((await stores().other.overview()).progress).toEqual([reborn]);
  });

  it('is not replaced by late words of an older incarnation', async () => {
    const reborn = told({ peerIncarnation: { counter: 2, nonce: 1 }, settled: [3n], settledBeat: 2 });
    await stores().store.storePeerProgress(reborn);
    await stores().store.storePeerProgress(told({ settled: [10n], settledBeat: 5 }));
    expect(await stored()).toEqual([reborn]);
  });
}

function heard(stores: () => OpenBeatStores): void {
  const at = (number: number, counter = 1): HeardBeat => ({
    origin: us,
    incarnation: { counter, nonce: 7 },
    beat: { number, lsn: 2n ** 40n, atMs: number + 0.5, end: 2n ** 63n, count: number === 4 ? null : 9 },
    receivedAtMs: 1_700_000_000_000.25 + number,
  });

  it('are kept, the newest of each origin', async () => {
    const elsewhere = { ...at(1), origin: asia };
    await stores().store.storeHeard([at(3), elsewhere]);
    await stores().store.storeHeard([at(4)]);
    await stores().store.storeHeard([at(2)]);
    await stores().store.storeHeard([]);
    expect((await stores().other.overview()).heard).toEqual([elsewhere, at(4)]);
  });

  it('start anew with a new incarnation, and not with an older one', async () => {
    await stores().store.storeHeard([at(9)]);
    await stores().store.storeHeard([at(2, 2)]);
    await stores().store.storeHeard([at(10)]);
    expect((await stores().other.overview()).heard).toEqual([at(2, 2)]);
  });
}

function positions(stores: () => OpenBeatStores): void {
  it('come in order with what is stored of beats that were heard, and with every look', async () => {
    const at = { beat: null, nextOffset: 7n, applied: 2n ** 63n, settled: 5n };
    const first: PositionRow = { ...at, origin: asia, incarnation: firstLife, partition: 1 };
    const second: PositionRow = { ...at, origin: us, incarnation: firstLife, partition: 1 };
    const later: PositionRow = { ...at, origin: us, incarnation: { counter: 2, nonce: 1 }, partition: 0 };
    expect(await stores().store.storeHeard([])).toEqual([]);
    for (const row of [later, second, first]) await stores().records.createPosition(row);
    expect(await stores().store.storeHeard([])).toEqual([first, second, later]);
    expect((await stores().other.overview()).positions).toEqual([first, second, later]);
  });
}

export function region(name: string): RegionId {
  const id = parseRegionId(name);
  if (id === null) throw new Error(`not a region: ${name}`);
  return id;
}

export async function taken(store: Pick<BeatStore, 'tryHold'>): Promise<BeatHold> {
  const hold = await store.tryHold();
  if (hold === null) throw new Error('somebody else holds the beats');
  return hold;
}

async function newest(store: BeatStore): Promise<Beat> {
  const beat = (await store.overview()).own.newest;
  if (beat === null) throw new Error('there is no beat');
  return beat;
}

/** Writes so many beats and returns them. */
export async function beats(
  store: BeatStore,
  count: number,
  writer: () => Promise<BeatHold | null> = () => store.tryHold(),
): Promise<readonly Beat[]> {
  const hold = await taken({ tryHold: writer });
  const written: Beat[] = [];
  for (let index = 0; index < count; index++) {
    await hold.beat();
    written.push(await newest(store));
  }
  await hold.release();
  return written;
}

/** The beats as the relay publishes them, with these counts. */
export function counted(
  plain: readonly Beat[],
  counts: readonly (number | null)[],
): readonly [CountedBeat, CountedBeat, ...CountedBeat[]] {
  const [first, second, ...rest] = plain.map(({ number, lsn, atMs }, index) => ({
    number,
    lsn,
    atMs,
    end: lsn + 1n,
    count: counts[index] ?? null,
  }));
  if (first === undefined || second === undefined) throw new Error('at least two beats are needed');
  return [first, second, ...rest];
}

export function told(values: Partial<PeerProgress>): PeerProgress {
  return {
    peer: us,
    peerIncarnation: firstLife,
    settled: null,
    settledBeat: null,
    echoedBeat: null,
    heardAtMs: 1_700_000_000_000.125,
    clockOffset: null,
    publishedCount: null,
    earlierOffsets: [],
    ...values,
  };
}

function neverHeard(peer: RegionId): RpoFigures {
  return { peer, coveredAtMs: null, settledCount: null };
}
