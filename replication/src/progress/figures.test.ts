import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import type { Overview, PeerProgress } from '../ports/beat-store.ts';
import { parseRegionId } from '../ports/identity.ts';
import { FigureReader, viewLog, viewPeer } from './figures.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 5 };

/** Tables in which everything stands at beat 40, at 10 s; the own clock is 500 ms ahead of the peer's. */
class Tables {
  readonly timer = new ManualTimer();
  overviews = 0;
  database: 'up' | 'down' | 'hangs' = 'up';
  told: Pick<PeerProgress, 'peerIncarnation' | 'earlierOffsets'> = {
    peerIncarnation: incarnation,
    earlierOffsets: [],
  };
  readonly beat = { number: 40, count: 100, atMs: 10_000, lsn: 1n, end: 1n };

  readonly reader = new FigureReader({
    peers: [us],
    partitionCount: 1,
    timeoutMs: 1000,
    timer: this.timer,
    beats: { overview: () => this.#read(this.#overview()) },
    records: { countDeadLetters: () => this.#read([]) },
  });

  #overview(): Overview {
    this.overviews++;
    const { beat } = this;
    const at = { origin: us, incarnation, partition: 0, applied: 1n, settled: 1n, nextOffset: 0n };
    const clockOffset = { offsetMs: 500, errorMs: 1, measuredAtMs: 10_000 };
    const told = {
      peer: us,
      settled: null,
      settledBeat: null,
      echoedBeat: null,
      heardAtMs: 10_400,
      publishedCount: 110,
      clockOffset,
    };
    return {
      rpo: [{ peer: us, coveredAtMs: 9000, settledCount: 90 }],
      own: { newest: beat, newestCounted: beat, logCoveredAtMs: 10_000, logCount: 100 },
      heard: [{ origin: us, incarnation, beat, receivedAtMs: 10_500 }],
      progress: [{ ...told, ...this.told }],
      positions: [{ ...at, beat: { ...beat, number: 38, atMs: 9500, count: 70 } }],
    };
  }

  async #read<T>(answer: T): Promise<T> {
    await Promise.resolve();
    if (this.database === 'hangs') await new Promise(() => undefined);
    if (this.database === 'down')
      throw new ReplicationError('database-unavailable', 'down', { retriable: true });
    return answer;
  }

  async view(nowMs: number) {
    const reading = this.reader.read();
    await this.timer.advance(1000);
    const { figures, isCurrent, ageMs } = await reading;
    const peer = figures?.peers[0];
    if (figures === null || peer === undefined) return { isCurrent, ageMs, peer: null, log: null };
    return { isCurrent, ageMs, peer: viewPeer(figures, peer, nowMs), log: viewLog(figures, nowMs) };
  }
}

test('lag and RPO of a peer and of the log come from the tables', async () => {
  expect(await new Tables().view(10_400)).toMatchObject({
    isCurrent: true,
    peer: {
      rpo: { seconds: 1.4, changes: 10, replicatedThroughMs: 9000 },
      lag: { seconds: 0.4, backlogChanges: 40 },
    },
    log: { seconds: 0.4, changes: 0 },
  });
});

test('offsets that held for beats of an earlier life of the peer say nothing about beats of its present one', async () => {
  const tables = new Tables();
  const earlierOffsets = [{ offsetMs: -8000, untilBeat: 99 }];
  tables.told = { peerIncarnation: incarnation, earlierOffsets };
  expect((await tables.view(10_400)).peer?.lag.seconds).toBe(8.9);
  tables.told = { peerIncarnation: { counter: 0, nonce: 9 }, earlierOffsets };
  expect((await tables.view(10_400)).peer?.lag.seconds).toBe(0.4);
});

test.each(['down', 'hangs'] as const)('while the database is %s ages go on growing', async (how) => {
  const tables = new Tables();
  await tables.view(10_400);
  tables.database = how;
  const view = await tables.view(70_400);
  expect(view).toMatchObject({
    isCurrent: false,
    peer: { rpo: { seconds: 61.4, changes: null }, lag: { seconds: 60.4, backlogChanges: null } },
    log: { seconds: 60.4, changes: null },
  });
  expect(view.ageMs).toBeGreaterThan(0);
});

test('what was never read is not there', async () => {
  const tables = new Tables();
  tables.database = 'down';
  expect(await tables.view(10_400)).toEqual({ isCurrent: false, ageMs: null, peer: null, log: null });
});

test('those who ask at once share one reading, also one that hangs', async () => {
  const tables = new Tables();
  tables.database = 'hangs';
  const both = [tables.reader.read(), tables.reader.read()];
  await tables.timer.advance(1000);
  await Promise.all(both);
  const third = tables.reader.read();
  await tables.timer.advance(1000);
  expect((await third).isCurrent).toBe(false);
  expect(tables.overviews).toBe(1);
});
