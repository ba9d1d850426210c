/** What every `SessionStore` must do: say in one reading how far a database stands, for the promises of sessions (P5). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BeatStore } from '@isthmus/replication/ports/beat-store';
import type { IdentityStore } from '@isthmus/replication/ports/identity-store';
import type { IncarnationStore } from '@isthmus/replication/ports/incarnation-store';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { SessionStore } from '@isthmus/replication/ports/session-store';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import { until } from '../until.ts';
import { append, bytes, record, region } from './record-store.contract.ts';

export interface OpenSessionStore {
  readonly sessions: SessionStore;
  readonly records: RecordStore;
  readonly transfers: Pick<TransferStore, 'expect'>;
  readonly incarnations: Pick<IncarnationStore, 'close' | 'relearnt'>;
  readonly beats: Pick<BeatStore, 'tryHold'>;
  readonly past: Pick<IdentityStore, 'noteClaim' | 'adopt' | 'newestBeat' | 'hold' | 'accept'>;
  readonly retirements: Pick<RetirementStore, 'close' | 'retire'>;
  /** The server is another start of itself from now on, which nobody has proven. */
  readonly startAnew: () => Promise<void>;
  readonly close: () => Promise<void>;
}

const [us, ap, eu] = [region('us'), region('ap'), region('eu')];
const incarnation = { counter: 1, nonce: 7 };
const entry = (of: typeof us, lsn: bigint) => ({ region: of, incarnation, partition: 0, lsn });

export function sessionStoreContract(name: string, open: () => Promise<OpenSessionStore>): void {
  describe(`SessionStore: ${name}`, () => {
    let opened: OpenSessionStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    it('says what is applied, and what is settled before that which was put aside (P4)', async () => {
      const { sessions, records } = opened;
      expect(await sessions.place()).toMatchObject({
        applied: [],
        settled: [],
        ahead: [],
        whole: [],
        closed: [],
        retired: [],
      });
      const place = { incarnation, partition: 0, beat: null, nextOffset: 0n };
      await records.createPosition({ ...place, origin: us, applied: 5n, settled: 5n });
      const lsn = 8n;
      const why = { cause: 'malformed', detail: 'no delta', stampMs: null } as const;
      const letter = { ...record('a'), partition: 0, lsn, index: 0, delta: bytes('d'), ...why };
      const decide = () => ({ writes: [], deadLetters: [letter] });
      const positions = [{ ...place, expected: 5n, applied: 9n }];
      await records.applyRemote({ origin: us, positions, ids: [], decide });
      const { applied, settled } = await sessions.place();
      expect([applied, settled]).toEqual([[entry(us, 9n)], [entry(us, 7n)]]);
    });

    it('stands at or beyond every own commit, in the era in which that was made', async () => {
      const { sessions, records } = opened;
      const { era } = sessions;
      const before = await sessions.place();
      const committed = await records.commitLocal(append([record('a')], 'x'));
      const after = await sessions.place();
      expect(after.insertLsn >= (committed?.end ?? expect.fail('it was written'))).toBe(true);
      expect(after.insertLsn > before.insertLsn).toBe(true);
      expect(sessions.era).toBe(era);
    });

    it('surely holds, until the server is proven, only what was before its newest beat (I9, I11)', async () => {
      const { sessions, records, beats, past, startAnew } = opened;
      const proven = await sessions.place();
      expect(proven.ownThrough).toBe(proven.insertLsn);
      for (const unprove of [startAnew, () => past.hold('somebody else is alive')]) {
        await unprove();
        const none = await until('the place is read again', 10_000, () => sessions.place());
        expect([none.ownThrough, none.insertLsn > 0n]).toEqual([0n, true]);
        await past.accept();
      }
      const hold = (await beats.tryHold()) ?? expect.fail('nobody holds the beats');
      await hold.beat();
      await hold.release();
      await records.commitLocal(append([record('a')], 'x'));
      const { beat } = await past.newestBeat();
      await startAnew();
      const { ownThrough, insertLsn } = await until('the place is read again', 10_000, () =>
        sessions.place(),
      );
      expect(ownThrough).toBe(beat?.lsn);
      expect(insertLsn > ownThrough).toBe(true);
    });

    it('says as which incarnation it was read, also to whoever opened it as the one before (P9)', async () => {
      const { sessions, past } = opened;
      expect((await sessions.place()).incarnation.counter).toBe(1);
      const claim = await past.noteClaim({ counter: 2, nonce: 9 });
      await past.adopt({ claim, promised: [] });
      // Its connections were ended with that.
      const read = await until('the place is read again', 10_000, () => sessions.place());
      expect(read.incarnation).toEqual(claim);
    });

    it('says what transfers that are not complete may have brought (P6)', async () => {
      await opened.transfers.expect([entry(us, 20n)]);
      expect((await opened.sessions.place()).ahead).toEqual([entry(us, 20n)]);
    });

    it('says of which pasts all is here that anybody shows, from when that is learnt (P9)', async () => {
      const { sessions, incarnations } = opened;
      await incarnations.relearnt(null);
      expect((await sessions.place()).whole).toEqual([]);
      await incarnations.relearnt({ region: eu, before: 3 });
      await incarnations.relearnt({ region: eu, before: 2 });
      expect((await sessions.place()).whole).toEqual([{ region: eu, before: 3 }]);
    });

    it('says where logs have ended; of a region that is retired, up to where it is kept (P8, P9)', async () => {
      const { sessions, incarnations, retirements } = opened;
      await incarnations.close(entry(us, 30n));
      await incarnations.close(entry(ap, 40n));
      await retirements.close(us, null);
      expect((await sessions.place()).retired).toEqual([]);
      const final = [entry(us, 50n)];
      expect(await retirements.retire(us, { final, heir: eu }, [us])).toBe(true);
      expect(await sessions.place()).toMatchObject({ closed: [entry(ap, 40n), ...final], retired: [us] });
    });
  });
}
