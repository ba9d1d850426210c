/**
 * What every `SlotKeeper` must do: a slot that serves is left alone, one that was lost begins a new life at the place from
 * which its stream really reads, and nobody takes what lies between for something that the log holds (I3, P2).
 */
import type { ChangeSource } from '@isthmus/replication/ports/change-source';
import type { Lsn } from '@isthmus/replication/ports/change';
import type { SlotKeeper, SlotLife } from '@isthmus/replication/ports/slot-keeper';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSoon, readCommits } from './change-source.contract.ts';

export interface SlotGround {
  /** Of two processes on one database. */
  readonly one: SlotKeeper;
  readonly two: SlotKeeper;
  readonly source: ChangeSource;
  /** One local write to the record of this key; returns its commit's end. */
  readonly write: (key: string) => Promise<Lsn>;
  /** Nobody reads from the slot. */
  readonly loseSlot: () => Promise<void>;
  /** The database becomes its region's next incarnation; what a process of it finds then. */
  readonly renew: () => Promise<SlotKeeper>;
  readonly close: () => Promise<void>;
}

export function slotKeeperContract(name: string, begin: () => Promise<SlotGround>): void {
  describe(`SlotKeeper: ${name}`, () => {
    let ground: SlotGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    const life = async (): Promise<SlotLife> => (await ground.one.life()) ?? expect.fail('it was noted');

    /** Keys that the relay would read, so many. */
    async function read(count: number): Promise<readonly string[]> {
      const stream = await openSoon(ground.source);
      const commits = await readCommits(stream, count);
      await stream.close();
      return commits.flatMap(({ changes }) => changes.map(({ key }) => key));
    }

    it('begins with the database, before its first write', async () => {
      const first = await life();
      expect(first.number).toBe(1);
      expect(await ground.two.life()).toEqual(first);
      expect((await ground.write('a')) > first.from).toBe(true);
      expect(await read(1)).toEqual(['a']);
      expect(await life(), 'reading changes nothing').toEqual(first);
    });

    it('leaves a slot alone that serves, also while a relay reads from it', async () => {
      const first = await life();
      await ground.write('a');
      expect(await ground.one.renew('asked in vain')).toEqual(first);
      const stream = await openSoon(ground.source);
      expect(await ground.two.renew('asked in vain')).toEqual(first);
      await ground.write('b');
      const commits = await readCommits(stream, 2);
      expect(commits.flatMap(({ changes }) => changes.map(({ key }) => key))).toEqual(['a', 'b']);
      await stream.close();
    });

    it('begins a new life behind everything that the lost slot had not read', async () => {
      const first = await life();
      const missed = await ground.write('missed');
      await ground.loseSlot();
      const alsoMissed = await ground.write('missed as well');
      await expect(ground.source.open()).rejects.toMatchObject({ code: 'slot-lost', retriable: false });
      expect(await life(), 'nobody has made it anew').toEqual(first);

      const second = await ground.one.renew('it was lost');
      expect(second.number).toBe(2);
      expect(missed < alsoMissed && alsoMissed <= second.from).toBe(true);
      expect(await ground.two.life()).toEqual(second);
      expect((await ground.write('read')) > second.from).toBe(true);
      const stream = await openSoon(ground.source);
      expect(stream.start).toBe(second.from);
      await stream.close();
      expect(await read(1)).toEqual(['read']);
    });

    it('begins one life, however many make it anew', async () => {
      await ground.loseSlot();
      const { one, two } = ground;
      const lives = await Promise.all([one.renew('lost'), two.renew('lost'), one.renew('lost')]);
      for (const each of lives) expect(each).toEqual(lives[0]);
      expect(lives[0]?.number).toBe(2);
      expect(await two.renew('late')).toEqual(lives[0]);
    });

    it('counts lives, each of which begins later', async () => {
      const lives = [await life()];
      for (let count = 0; count < 3; count++) {
        await ground.write(`missed ${count}`);
        await ground.loseSlot();
        lives.push(await ground.one.renew('lost'));
      }
      expect(lives.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
      const places = lives.map(({ from }) => from);
      expect(places).toEqual(places.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(new Set(places).size).toBe(4);
    });

    it('begins anew with another incarnation, behind everything of the old one (P9)', async () => {
      await ground.loseSlot();
      await ground.one.renew('lost');
      const end = await ground.write('of the old one');
      const renewed = await ground.renew();
      const first = (await renewed.life()) ?? expect.fail('it was noted');
      expect(first.number).toBe(1);
      expect(first.from >= end).toBe(true);
    });
  });
}
