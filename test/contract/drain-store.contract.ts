/**
 * What every `DrainStore` must do: local writes end for every connection, and the beat behind which none of them lies is
 * named only once that is so, whatever clocks say; a word to join ends all of it.
 */
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import type { DrainStore } from '@isthmus/replication/ports/drain-store';
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../until.ts';
import { region } from './record-store.contract.ts';

/** The database as one process has opened it. */
export interface DrainProcess {
  readonly drains: DrainStore;
  readonly records: Pick<RecordStore, 'createPosition' | 'positions'>;
  readonly beats: BeatStore;
  readonly past: Pick<IdentityStore, 'noteClaim' | 'adopt'>;
  /** A local write. */
  readonly write: (key: string) => Promise<void>;
}

export interface DrainGround {
  readonly open: () => Promise<DrainProcess>;
  /** The drain looks as if it had begun so much earlier, as where the clock was set back before it did. */
  readonly dateBack: (byMs: number) => Promise<void>;
  /** The server ends as in a power cut and is started anew, and is its own past. */
  readonly restart: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const refused = { code: 'database-unavailable', message: expect.stringContaining('drained') };

export function drainStoreContract(name: string, begin: () => Promise<DrainGround>): void {
  describe(`DrainStore: ${name}`, () => {
    let ground: DrainGround;
    let one: DrainProcess;
    let two: DrainProcess;
    beforeEach(async () => {
      ground = await begin();
      [one, two] = [await ground.open(), await ground.open()];
    });
    afterEach(() => ground.close());

    async function beat({ beats }: DrainProcess): Promise<number> {
      const hold = await until('nobody else beats', 10_000, () => beats.tryHold());
      await hold.beat();
      await hold.release();
      return (await beats.overview()).own.newest?.number ?? expect.fail('it was written');
    }

    function named({ drains }: DrainProcess): Promise<number> {
      return until('the beat is named', 10_000, async () =>
        (await drains.settle()) ? ((await drains.find())?.beat ?? null) : null,
      );
    }

    it('ends the writes of every process, goes on beating and applying, and takes writes again once it joins', async () => {
      for (const each of [one, two]) await each.write('a');
      expect(await one.drains.find()).toBeNull();
      await one.drains.begin();
      expect(await two.drains.find()).toEqual({ sinceMs: expect.any(Number), beat: null });
      await one.drains.cut();
      await named(two);
      for (const each of [one, two, await ground.open()])
        await expect(each.write('a')).rejects.toMatchObject(refused);
      await beat(one);
      const position = { origin: region('us'), incarnation: { counter: 1, nonce: 7 }, partition: 0 };
      const place = { applied: 9n, settled: 9n, beat: null, nextOffset: 0n };
      await two.records.createPosition({ ...position, ...place });
      expect(await one.records.positions(region('us'))).toHaveLength(1);
      await two.drains.end();
      expect(await one.drains.find()).toBeNull();
      for (const each of [one, two]) await each.write('a');
    });

    it('takes no write of a process that opens the database from then on', async () => {
      await one.write('a');
      await one.drains.begin();
      await expect((await ground.open()).write('a')).rejects.toMatchObject(refused);
      await one.write('still open');
    });

    it('names the second beat from then, and keeps to it', async () => {
      await beat(one);
      const newest = await beat(one);
      await one.drains.begin();
      await one.drains.cut();
      expect(await named(one)).toBe(newest + 2);
      await beat(two);
      expect(await two.drains.settle()).toBe(true);
      await one.drains.begin();
      await one.drains.cut();
      expect(await named(two)).toBe(newest + 2);
    });

    it('names none while a connection from before may still commit', async () => {
      for (const each of [one, two]) await each.write('a');
      await one.drains.begin();
      for (const { drains } of [one, two]) expect(await drains.settle()).toBe(false);
      expect(await two.drains.find()).toMatchObject({ beat: null });
    });

    it('nor where the clock was set back since that was opened', async () => {
      for (const each of [one, two]) await each.write('a');
      await one.drains.begin();
      await ground.dateBack(3_600_000);
      expect(await two.drains.settle()).toBe(false);
      await one.drains.cut();
      await named(two);
    });

    it('is not begun again by a cut that comes after the word to join', async () => {
      await two.write('a');
      await one.drains.begin();
      await two.drains.end();
      await one.drains.cut();
      expect(await two.drains.find()).toBeNull();
      expect(await two.drains.settle()).toBe(false);
      await until('writes are taken', 10_000, () => two.write('a').then(() => true));
    });

    it('begins once, and names another beat when it begins anew', async () => {
      await one.drains.begin();
      const { sinceMs } = (await one.drains.find()) ?? expect.fail('it has begun');
      await two.drains.begin();
      expect((await two.drains.find())?.sinceMs).toBe(sinceMs);
      await one.drains.cut();
      const first = await named(one);
      await one.drains.end();
      await two.write('a');
      for (let count = 0; count < 3; count++) await beat(one);
      await two.drains.begin();
      expect(await one.drains.find()).toMatchObject({ beat: null });
      await two.drains.cut();
      expect(await named(one)).toBeGreaterThan(first);
    });

    it('has nothing to name or to end where nobody has begun', async () => {
      expect(await one.drains.settle()).toBe(false);
      await one.drains.end();
      expect(await one.drains.find()).toBeNull();
      await one.write('a');
    });

    it('names another beat in a new incarnation, whose beats begin anew', async () => {
      for (let count = 0; count < 10; count++) await beat(one);
      await one.drains.begin();
      const { sinceMs } = (await one.drains.find()) ?? expect.fail('it has begun');
      await one.drains.cut();
      await named(two);
      const claim = { counter: 2, nonce: 9 };
      await one.past.noteClaim(claim);
      await one.past.adopt({ claim, promised: null });
      const next = await ground.open();
      expect(await next.drains.find()).toEqual({ sinceMs, beat: null });
      const newest = await beat(next);
      expect(newest).toBeLessThan(10);
      expect(await named(next)).toBe(newest + 2);
      await expect(next.write('a')).rejects.toMatchObject({ code: 'database-unavailable' });
    });

    it('is forgotten by no restart, which ends the connections from before as well', async () => {
      for (const each of [one, two]) await each.write('a');
      await one.drains.begin();
      const begun = await one.drains.find();
      await ground.restart();
      const next = await ground.open();
      expect(await next.drains.find()).toEqual(begun);
      await expect(next.write('a')).rejects.toMatchObject(refused);
      const beatNumber = await named(next);
      await ground.restart();
      expect((await (await ground.open()).drains.find())?.beat).toBe(beatNumber);
    }, 60_000);
  });
}
