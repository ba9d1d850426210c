/**
 * What every change source owes the relay, whatever it reads. A bench stands for one database with its source: it
 * commits in it, tells what the database holds to be confirmed, and breaks streams from outside.
 */
import { type Beat, type Change, type Commit, type Lsn } from '@isthmus/replication/ports/change';
import type { ChangeSource, ChangeStream } from '@isthmus/replication/ports/change-source';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';

export interface SourceBench {
  readonly source: ChangeSource;
  /** One transaction with these changes and, where given, a beat. */
  commit(changes: readonly Change[], beat?: Beat): Promise<void>;
  /** Transactions that are none of ours, and one of ours that rolls back. */
  commitOthers(): Promise<void>;
  /** What the database holds to be confirmed. */
  confirmed(): Promise<Lsn>;
  /** Ends the stream that is open from outside. */
  breakStream(): Promise<void>;
  /** The server is gone, and back after the returned function; `null`: it lives and dies with the process. */
  goDown(): Promise<(() => Promise<void>) | null>;
  /** Forgets everything so far; no stream is open. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const encoder = new TextEncoder();

export function changeOf(number: number, sizeBytes = 16): Change {
  const delta = new Uint8Array(sizeBytes).fill(number % 251);
  delta.set(encoder.encode(`${number}:`).subarray(0, sizeBytes));
  return { collection: 'things', key: `group-${number % 7}/${number}`, delta };
}

/** Reads until so many commits have come. */
export async function readCommits(stream: ChangeStream, count: number): Promise<Commit[]> {
  const commits: Commit[] = [];
  while (commits.length < count) commits.push(...(await stream.read()));
  return commits;
}

/** Opens as a relay does: again, while the slot is still held by a stream that has just ended. */
export async function openSoon(source: ChangeSource): Promise<ChangeStream> {
  return vi.waitFor(() => source.open(), { timeout: 20_000, interval: 20 });
}

/** Numbers below `limit` from a seed (mulberry32), so that a failed run can be run again. */
export function randomOf(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

export function changeSourceContract(name: string, openBench: () => Promise<SourceBench>): void {
  describe(`change source contract: ${name}`, () => {
    let bench: SourceBench;
    beforeAll(async () => {
      bench = await openBench();
    }, 60_000);
    beforeEach(() => bench.reset());
    afterAll(() => bench.close());

    test('commits come in order, with their changes and beats', async () => {
      const stream = await bench.source.open();
      const beat = { number: 7, lsn: 0x1_0000_0010n, atMs: 1_700_000_000_123.5 };
      await bench.commit([changeOf(1), changeOf(2)]);
      await bench.commit([], beat);
      await bench.commit([changeOf(3, 100_000)]);
      const commits = await readCommits(stream, 3);
      expect(commits.map(({ changes }) => changes)).toEqual([
        [changeOf(1), changeOf(2)],
        [],
        [changeOf(3, 100_000)],
      ]);
      expect(commits.map(({ beats }) => beats)).toEqual([[], [beat], []]);
      const ends = [stream.start, ...commits.map(({ end }) => end)];
      expect(ends).toEqual(ends.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(new Set(ends).size).toBe(ends.length);
      await stream.close();
    });

    test('what is not ours or rolled back is not reported', async () => {
      const stream = await bench.source.open();
      await bench.commitOthers();
      await bench.commit([changeOf(1)]);
      expect((await stream.read()).map(({ changes }) => changes)).toEqual([[changeOf(1)]]);
      await stream.close();
    });

    test('there is one stream at a time', async () => {
      const stream = await bench.source.open();
      await expect(bench.source.open()).rejects.toMatchObject({ code: 'slot-held', retriable: true });
      await stream.close();
      await (await openSoon(bench.source)).close();
    });

    test('a closed stream says so, to a waiting reader too', async () => {
      const stream = await bench.source.open();
      const waiting = expect(stream.read()).rejects.toMatchObject({ code: 'closed' });
      await stream.close();
      await waiting;
      await expect(stream.read()).rejects.toMatchObject({ code: 'closed' });
      stream.confirm(stream.start);
      await stream.close();
    });

    test('a stream broken from outside is lost, and the next one goes on', async () => {
      const stream = await bench.source.open();
      const waiting = expect(stream.read()).rejects.toMatchObject({ code: 'source-lost', retriable: true });
      await bench.breakStream();
      await waiting;
      await stream.close();
      const next = await openSoon(bench.source);
      await bench.commit([changeOf(1)]);
      expect(await readCommits(next, 1)).toHaveLength(1);
      await next.close();
    });

    test('a server that is gone is lost, and not for good', async () => {
      const comeUp = await bench.goDown();
      if (comeUp === null) return;
      await expect(bench.source.open()).rejects.toMatchObject({ code: 'source-lost', retriable: true });
      await comeUp();
      await (await openSoon(bench.source)).close();
    }, 60_000);

    test('P2: the next stream starts where the last one was confirmed, with the same commits', async () => {
      const first = await bench.source.open();
      for (let number = 0; number < 10; number++) await bench.commit([changeOf(number)]);
      const commits = await readCommits(first, 10);
      const end = commits[3]?.end ?? 0n;
      first.confirm(end);
      await first.close();
      const second = await openSoon(bench.source);
      expect(second.start).toBe(end);
      expect(await readCommits(second, 6)).toEqual(commits.slice(4));
      await second.close();
    });

    test('I2: only what was confirmed is confirmed, promptly, and it never goes back', async () => {
      const stream = await bench.source.open();
      const ends: Lsn[] = [];
      for (let number = 0; number < 5; number++) {
        await bench.commit([changeOf(number)]);
        await bench.commitOthers();
        ends.push(...(await readCommits(stream, 1)).map(({ end }) => end));
      }
      expect(await bench.confirmed()).toBe(stream.start);
      for (const end of ends) {
        stream.confirm(end);
        await vi.waitFor(async () => expect(await bench.confirmed()).toBe(end), {
          timeout: 500,
          interval: 5,
        });
      }
      stream.confirm(ends[0] ?? 0n);
      await bench.commitOthers();
      expect(await bench.confirmed()).toBe(ends.at(-1));
      expect(() => stream.confirm((ends.at(-1) ?? 0n) + 1n)).toThrow(/handed out/);
      await stream.close();
    });

    test('one read returns about a mebibyte', async () => {
      const stream = await bench.source.open();
      const sizeBytes = 200_000;
      for (let number = 0; number < 12; number++) await bench.commit([changeOf(number, sizeBytes)]);
      const reads: number[] = [];
      while (reads.reduce((sum, count) => sum + count, 0) < 12) reads.push((await stream.read()).length);
      expect(Math.max(...reads)).toBeLessThanOrEqual(5);
      await stream.close();
    });

    test('20,000 payloads that are kept stay what they were', async () => {
      const stream = await bench.source.open();
      const perCommit = 100;
      const writing = (async () => {
        for (let first = 0; first < 20_000; first += perCommit)
          await bench.commit(Array.from({ length: perCommit }, (_, index) => changeOf(first + index, 64)));
      })();
      const kept = (await readCommits(stream, 20_000 / perCommit)).flatMap(({ changes }) => changes);
      await writing;
      expect(kept).toHaveLength(20_000);
      expect(kept.findIndex((change, number) => !sameChange(change, changeOf(number, 64)))).toBe(-1);
      await stream.close();
    });

    const seed = Math.floor(Math.random() * 2 ** 32);
    test(`nothing unconfirmed is lost, whenever a stream ends (seed ${seed})`, async () => {
      await neverLost(bench, randomOf(seed));
    }, 60_000);
  });
}

const lossCommits = 400;

/**
 * Writes all the time while streams are opened, read, confirmed up to some commit and ended in the middle. Each
 * stream must go on with the commit that follows its start and skip none, and a start lies where a stream confirmed
 * that was closed, or, where it was broken, not beyond that.
 */
async function neverLost(bench: SourceBench, random: (limit: number) => number): Promise<void> {
  const writing = (async () => {
    for (let number = 0; number < lossCommits; number++) await bench.commit([changeOf(number)]);
  })();
  const ends: Lsn[] = [];
  let confirmedCount = 0;
  let broken = false;
  let streamCount = 0;
  while (confirmedCount < lossCommits) {
    const stream = await openSoon(bench.source);
    streamCount++;
    const startCount = ends.filter((end) => end <= stream.start).length;
    if (broken) expect(startCount).toBeLessThanOrEqual(confirmedCount);
    else expect(startCount).toBe(confirmedCount);
    const count = Math.min(1 + random(40), lossCommits - startCount);
    // One that writes faster than it is read hands out far more, and there would be few streams.
    const commits = (await readCommits(stream, count)).slice(0, count);
    const numbers = commits.map(({ changes }) => Number(changes[0]?.key.split('/')[1]));
    expect(numbers).toEqual(numbers.map((_, index) => startCount + index));
    for (const [index, { end }] of commits.entries()) ends[startCount + index] = end;
    confirmedCount = startCount + 1 + random(commits.length);
    stream.confirm(ends[confirmedCount - 1] ?? 0n);
    broken = random(2) === 0;
    if (broken) await bench.breakStream();
    await stream.close();
  }
  await writing;
  expect(streamCount).toBeGreaterThan(5);
}

function sameChange(a: Change, b: Change): boolean {
  return a.collection === b.collection && a.key === b.key && Buffer.compare(a.delta, b.delta) === 0;
}
