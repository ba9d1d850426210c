/**
 * What every `RefillStore` must do: one wish to fill a region anew stands at a time, and the database becomes another
 * incarnation and empty in one step.
 */
import type { DrainStore } from '@isthmus/replication/ports/drain-store';
import { type Actor, parseActor } from '@isthmus/replication/ports/identity';
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { RefillStore } from '@isthmus/replication/ports/refill-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { record, region } from './record-store.contract.ts';

/** A region's database as one process has opened it. */
export interface OpenRefillStore {
  readonly drains: DrainStore;
  readonly refills: RefillStore;
  readonly records: RecordStore;
  readonly past: IdentityStore;
  readonly incarnations: IncarnationStore;
  readonly jobs: TransferJobs;
  readonly transfers: Pick<TransferStore, 'standing'>;
  /** A local write. */
  readonly write: (key: string) => Promise<void>;
  /** As a transfer would bring it. */
  readonly bring: (key: string) => Promise<void>;
}

export interface RefillGround {
  readonly open: () => Promise<OpenRefillStore>;
  /** Of the one that is open. */
  readonly closeOne: () => Promise<void>;
  readonly close: () => Promise<void>;
}

function actor(text: string): Actor {
  return parseActor(text) ?? expect.fail(`${text} is no actor`);
}

export function refillStoreContract(name: string, begin: () => Promise<RefillGround>): void {
  describe(`RefillStore: ${name}`, () => {
    let ground: RefillGround;
    let database: OpenRefillStore;
    beforeEach(async () => {
      ground = await begin();
      database = await ground.open();
    });
    afterEach(async () => {
      await ground.closeOne();
      await ground.close();
    });

    const write = (key: string): Promise<void> => database.write(key);

    async function written(key: string): Promise<boolean> {
      try {
        await write(key);
        return true;
      } catch {
        return false;
      }
    }

    /** As if the server had been asked by its process. */
    async function claimed(counter: number): Promise<void> {
      const claim = await database.past.noteClaim({ counter, nonce: 9 });
      await database.past.adopt({ claim, promised: [] });
      await ground.closeOne();
      database = await ground.open();
    }

    it('keeps one wish, replaces one that secures or is over, and none that takes an incarnation', async () => {
      const { refills } = database;
      expect(await refills.find()).toBeNull();
      const lost = actor('eu.1.00000009');
      expect(await refills.want({ donor: region('us'), accepted: [lost, actor('ap.2.0000000a')] })).toBe(
        true,
      );
      expect(await refills.find()).toMatchObject({
        donor: 'us',
        state: 'securing',
        accepted: [lost, 'ap.2.0000000a'],
        endedAtMs: null,
      });
      await database.drains.begin();
      expect(await refills.want({ donor: region('ap'), accepted: [] })).toBe(true);
      expect(await refills.find()).toMatchObject({ donor: 'ap', wasDrained: false });
      await refills.note('waits');
      expect(await refills.find()).toMatchObject({ detail: 'waits' });
      expect(await refills.refuse('would lose')).toBe(true);
      expect(await refills.find()).toMatchObject({ state: 'refused', detail: 'would lose' });
      expect(await database.drains.find(), 'writes are taken again').toBeNull();
      await database.drains.begin();
      expect(await refills.secured()).toBe(false);
      expect(await refills.want({ donor: region('ap'), accepted: [] })).toBe(true);
      expect(await refills.find()).toMatchObject({ wasDrained: true });
      expect(await refills.secured()).toBe(true);
      expect(await refills.refuse('too late')).toBe(false);
      expect(
        await database.drains.find(),
        'nothing is written to what is about to be emptied',
      ).not.toBeNull();
      expect(await refills.find()).toMatchObject({ donor: 'ap', state: 'renewing', detail: '' });
      expect(await refills.want({ donor: region('us'), accepted: [] })).toBe(false);
    });

    it('a wish is withdrawn while its incarnation is taken, and that drops nothing then (I5)', async () => {
      const { refills, drains } = database;
      await write('a');
      await refills.want({ donor: region('us'), accepted: [] });
      expect(await refills.withdraw('secures')).toBe(false);
      await refills.drain();
      await refills.secured();
      expect(await refills.withdraw('a peer was set back')).toBe(true);
      expect(await refills.find()).toMatchObject({ state: 'refused', detail: 'a peer was set back' });
      expect(await drains.find(), 'writes are taken again').toBeNull();
      await claimed(2);
      expect(await database.records.read(record('a')), 'nothing was dropped').not.toBeNull();
      expect(await database.refills.withdraw('over')).toBe(false);
    });

    it('takes no write of a region that joins before it is known what becomes of it, and takes them after (I5)', async () => {
      const { refills, drains } = database;
      for (const isRenewing of [false, true]) {
        await drains.begin();
        await refills.want({ donor: region('us'), accepted: [] });
        await refills.drain();
        if (isRenewing) await refills.secured();
        await drains.end();
        expect(await drains.find(), 'what is written now would be dropped').not.toBeNull();
        expect(await refills.find()).toMatchObject({ wasDrained: false });
        await drains.cut();
        expect(await written('between')).toBe(false);
        const detail = 'would lose';
        expect(await (isRenewing ? refills.withdraw(detail) : refills.refuse(detail))).toBe(true);
        expect(await drains.find()).toBeNull();
        expect(await written('after')).toBe(true);
      }
    });

    it('takes writes away for a wish that secures, and for none that another process has refused meanwhile', async () => {
      const { refills, drains } = database;
      expect(await refills.drain()).toBe(false);
      await refills.want({ donor: region('us'), accepted: [] });
      expect(await refills.drain()).toBe(true);
      const since = (await drains.find())?.sinceMs ?? expect.fail('writes were taken away');
      expect([await refills.drain(), (await drains.find())?.sinceMs], 'since the first time').toEqual([
        true,
        since,
      ]);
      expect(await refills.refuse('would lose')).toBe(true);
      // The process that had begun goes on after its moment of grace.
      expect(await refills.drain()).toBe(false);
      await drains.cut();
      expect(await drains.find()).toBeNull();
      expect(await written('after')).toBe(true);
    });

    it('empties the database in the step that makes it another incarnation, and fills and learns before it is done', async () => {
      const origin = region('us');
      const at = { origin, incarnation: { counter: 1, nonce: 7 }, partition: 0 };
      await write('a');
      await database.records.createPosition({ ...at, applied: 9n, settled: 9n, beat: null, nextOffset: 0n });
      const job = await database.jobs.want({ donor: origin, origin, cause: 'gap', isDryRun: false });
      await database.drains.begin();
      await database.refills.want({ donor: origin, accepted: [] });
      const stands = async () => (await database.transfers.standing()).refill;
      expect(await stands(), 'peers may still have to take something from it').toBe('securing');
      await database.refills.secured();
      expect(await stands(), 'nobody may count on it any more').toBe('emptied');
      expect(await database.refills.countRecords(10)).toBe(1);
      await claimed(2);
      expect(await stands()).toBe('emptied');

      expect(await database.records.read(record('a'))).toBeNull();
      expect(await database.refills.countRecords(10)).toBe(0);
      expect(await database.records.positions(origin)).toEqual([]);
      expect(await database.jobs.find(job)).toMatchObject({ state: 'failed' });
      expect(await database.drains.find()).toBeNull();
      expect(await database.refills.find()).toMatchObject({ state: 'filling' });
      expect(await database.incarnations.relearning()).toMatchObject({
        fill: 'us',
        pasts: [{ incarnation: { counter: 1 }, through: 0n }],
      });
      expect(await written('early')).toBe(false);
      // An operator's word makes nothing whole that is half filled.
      await database.past.accept();
      await database.incarnations.setOpen(true);
      expect(await written('early')).toBe(false);
      await database.incarnations.filled();
      expect(await stands()).toBe('none');
      expect(await written('early')).toBe(false);
      await database.incarnations.setOpen(true);
      expect(await written('early')).toBe(true);
      await database.incarnations.setOpen(false);
      expect(await written('late')).toBe(false);
      expect(await database.refills.find()).toMatchObject({ state: 'learning', endedAtMs: null });
      expect((await database.incarnations.relearning())?.fill).toBeNull();
      await database.incarnations.relearnt(null);
      expect((await database.refills.find())?.state).toBe('done');
    });

    it('a wish while it fills begins with another incarnation at once, and nothing is read but from its donor', async () => {
      await database.refills.want({ donor: region('us'), accepted: [] });
      await database.refills.secured();
      await claimed(2);
      expect(await database.refills.want({ donor: region('ap'), accepted: [] })).toBe(true);
      expect(await database.refills.find()).toMatchObject({ donor: 'ap', state: 'renewing' });
      expect((await database.incarnations.relearning())?.fill).toBe('ap');
      await claimed(3);
      expect(await database.refills.find()).toMatchObject({ donor: 'ap', state: 'filling' });
    });

    it('another incarnation without such a wish keeps its records', async () => {
      await write('a');
      await database.refills.want({ donor: region('us'), accepted: [] });
      await claimed(2);
      expect(await database.records.read(record('a'))).not.toBeNull();
      expect(await database.refills.find()).toMatchObject({ state: 'securing' });
    });

    it('what is half filled is emptied again by whatever makes the next incarnation', async () => {
      await database.refills.want({ donor: region('us'), accepted: [] });
      await database.refills.secured();
      await claimed(2);
      await database.bring('half');
      await claimed(3);
      expect(await database.refills.countRecords(10)).toBe(0);
      expect((await database.incarnations.relearning())?.fill).toBe('us');
    });
  });
}
