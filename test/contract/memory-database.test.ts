/** The contracts of source and beats on a database in memory, and what a crash and a restored copy do to it. */
import { performance } from 'node:perf_hooks';
import { BeatClock } from '@isthmus/replication/adapters/beat-clock';
import { MemoryBeatStore } from '@isthmus/replication/adapters/memory/beat-store';
import { MemoryChangeSource } from '@isthmus/replication/adapters/memory/change-source';
import { MemoryDatabase } from '@isthmus/replication/adapters/memory/database';
import { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import { MemoryRoleLock } from '@isthmus/replication/adapters/memory/role-lock';
import type { Beat, Change, Lsn } from '@isthmus/replication/ports/change';
import type { RegionId } from '@isthmus/replication/ports/identity';
import { describe, expect, test } from 'vitest';
import { beatStoreContract, peers, taken } from './beat-store.contract.ts';
import { changeOf, changeSourceContract, readCommits, type SourceBench } from './change-source.contract.ts';
import { append, record, region, text } from './record-store.contract.ts';

const nowMs = (): number => performance.timeOrigin + performance.now();

class MemoryBench implements SourceBench {
  readonly database = new MemoryDatabase({ nowMs });
  readonly source = new MemoryChangeSource(this.database);

  async commit(changes: readonly Change[], beat?: Beat): Promise<void> {
    this.database.transact(true, (emission) => {
      emission.changes.push(...changes);
      if (beat !== undefined) emission.beats.push(beat);
    });
  }

  async commitOthers(): Promise<void> {
    this.database.transact(true, () => undefined);
    const failing = (): void =>
      void this.database.transact(true, (emission) => {
        emission.changes.push(changeOf(1));
        throw new RangeError('rolled back');
      });
    expect(failing).toThrow('rolled back');
  }

  async confirmed(): Promise<Lsn> {
    return this.database.wal.confirmed ?? 0n;
  }

  async breakStream(): Promise<void> {
    this.database.disconnect();
  }

  async goDown(): Promise<null> {
    return null;
  }

  async reset(): Promise<void> {
    this.database.wal.createSlot();
  }

  async close(): Promise<void> {}
}

changeSourceContract('memory', () => Promise.resolve(new MemoryBench()));

beatStoreContract('memory', () => {
  let setBackMs = 0;
  const database = new MemoryDatabase({ nowMs: () => nowMs() - setBackMs });
  const setClockBack = (byMs: number): Promise<void> => {
    setBackMs += byMs;
    return Promise.resolve();
  };
  const records = new MemoryRecordStore(database);
  const store = new MemoryBeatStore(database, records, peers);
  const newcomer = () => store.tryHold(new BeatClock(() => performance.now()));
  const loseSlot = (): Promise<Lsn> => {
    database.wal.createSlot();
    return Promise.resolve(database.wal.insert);
  };
  const retirements = new MemoryRetirementStore(database, records);
  const retire = (peer: RegionId) => retirements.close(peer, null);
  const close = () => Promise.resolve();
  return Promise.resolve({ store, other: store, newcomer, records, loseSlot, retire, setClockBack, close });
});

describe('a database in memory', () => {
  const origin = region('us');
  const incarnation = { counter: 1, nonce: 7 };
  const position = { origin, incarnation, partition: 0, beat: null, nextOffset: 0n };

  async function opened() {
    const database = new MemoryDatabase({ nowMs });
    const records = new MemoryRecordStore(database);
    await records.createPosition({ ...position, applied: 0n, settled: 0n });
    const move = { ...position, expected: 0n, applied: 9n };
    const apply = () =>
      records.applyRemote({
        origin,
        positions: [move],
        ids: [record('a')],
        decide: () => ({ writes: [{ index: 0, state: Buffer.from('x') }], deadLetters: [] }),
      });
    return { database, records, apply };
  }

  test('P4: a crash takes back what was applied and not flushed, rows and position together', async () => {
    const { database, records, apply } = await opened();
    await apply();
    database.crash();
    expect(await records.read(record('a'))).toBeNull();
    expect(await records.positions(origin)).toMatchObject([{ applied: 0n }]);
    await apply();
    await records.commitLocal(append([record('b')], 'y'));
    database.crash();
    expect(text(await records.read(record('a')))).toBe('x');
    expect(await records.positions(origin)).toMatchObject([{ applied: 9n }]);
  });

  test('P1: a restored copy holds what there was, again and again, and issues positions again', async () => {
    const { database, records } = await opened();
    await records.commitLocal(append([record('a')], 'x'));
    const restore = database.copy();
    const committed = await records.commitLocal(append([record('a')], 'y'));
    for (let round = 0; round < 2; round++) {
      restore();
      expect(text(await records.read(record('a')))).toBe('x');
      expect(await records.commitLocal(append([record('a')], 'z'))).toEqual(committed);
    }
  });

  test('a crash frees locks, and the slot goes back to what it has saved', async () => {
    const { database, records } = await opened();
    const source = new MemoryChangeSource(database);
    const beats = new MemoryBeatStore(database, records, []);
    const lock = await new MemoryRoleLock(database).tryAcquire();
    const hold = await taken(beats);
    const stream = await source.open();
    await records.commitLocal(append([record('a')], 'x'));
    const [commit] = await readCommits(stream, 1);
    stream.confirm(commit?.end ?? 0n);
    database.crash();
    await lock?.lost;
    await expect(hold.beat()).rejects.toMatchObject({ code: 'database-unavailable' });
    await expect(stream.read()).rejects.toMatchObject({ code: 'source-lost' });
    const next = await source.open();
    expect(next.start).toBe(stream.start);
    expect(await readCommits(next, 1)).toEqual([commit]);
    next.confirm(commit?.end ?? 0n);
    database.wal.checkpoint();
    database.crash();
    expect(database.wal.confirmed).toBe(commit?.end);
  });

  test('I3: a slot that would keep too much is invalidated, and its stream learns it', async () => {
    const database = new MemoryDatabase({ nowMs, maxRetainedBytes: 10_000 });
    const source = new MemoryChangeSource(database);
    const stream = await source.open();
    for (let number = 0; number < 20; number++)
      database.transact(true, ({ changes }) => void changes.push(changeOf(number, 1000)));
    await expect(stream.read()).rejects.toMatchObject({ code: 'source-lost' });
    await stream.close();
    await expect(source.open()).rejects.toMatchObject({ code: 'slot-lost', retriable: false });
  });

  test('beats that all have settled are dropped after ten minutes', async () => {
    let clockMs = 1_000_000;
    const database = new MemoryDatabase({ nowMs: () => clockMs });
    const beats = new MemoryBeatStore(database, new MemoryRecordStore(database), []);
    const hold = await taken(beats);
    for (let number = 1; number <= 3; number++) {
      clockMs += 400_000;
      await hold.beat();
      const beat = (await beats.overview()).own.newest;
      if (beat !== null) await beats.storePublished([{ ...beat, end: BigInt(number), count: number }]);
    }
    expect(await beats.prune()).toBe(1);
    expect([await beats.beatAtMs(1), await beats.beatAtMs(2)]).toEqual([null, 1_800_000]);
    expect(await beats.countAt(1n)).toBeNull();
    expect(await beats.countAt(3n)).toBe(3);
    clockMs += 10_000_000;
    await hold.beat();
    expect([await beats.prune(), await beats.countAt(2n)], 'a slot may go back to it').toEqual([0, 2]);
  });
});
