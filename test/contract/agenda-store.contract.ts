/**
 * What every `AgendaStore` must do: say in one reading what the stores say one by one, whatever was asked, and whether
 * there are dead letters to look at.
 */
import type { AgendaStore } from '@isthmus/replication/ports/agenda-store';
import type { DeadLetterStore } from '@isthmus/replication/ports/dead-letter-store';
import type { DrainStore } from '@isthmus/replication/ports/drain-store';
import type { IncidentStore } from '@isthmus/replication/ports/incident-store';
import type { DeadLetter, RecordStore } from '@isthmus/replication/ports/record-store';
import type { RefillStore } from '@isthmus/replication/ports/refill-store';
import type { RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import { actorOf } from '@isthmus/replication/ports/identity';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fresh } from './incident-store.contract.ts';
import { bytes, record, region } from './record-store.contract.ts';

export interface AgendaGround {
  readonly agenda: AgendaStore;
  readonly refills: RefillStore;
  readonly drains: DrainStore;
  readonly retirements: RetirementStore;
  readonly jobs: TransferJobs;
  readonly verifications: VerificationStore;
  readonly incidents: IncidentStore;
  readonly deadLetters: DeadLetterStore;
  readonly records: RecordStore;
  readonly close: () => Promise<void>;
}

const [us, ap] = [region('us'), region('ap')];
const incarnation = { counter: 1, nonce: 7 };
const place = { origin: us, incarnation, partition: 0, index: 0 };

function letter(lsn: bigint, stampMs: number | null): DeadLetter {
  const cause = stampMs === null ? 'malformed' : 'clock-too-far-ahead';
  return { ...record('a'), ...place, lsn, delta: bytes('d'), cause, detail: 'because', stampMs };
}

export function agendaStoreContract(name: string, open: () => Promise<AgendaGround>): void {
  describe(`AgendaStore: ${name}`, () => {
    let ground: AgendaGround;
    beforeEach(async () => {
      ground = await open();
    });
    afterEach(() => ground.close());

    async function oneByOne() {
      const { refills, drains, retirements, jobs, verifications, incidents } = ground;
      return {
        refill: await refills.find(),
        drained: await drains.find(),
        retired: await retirements.all(),
        jobs: await jobs.open(),
        verifications: await verifications.all(),
        incidents: await incidents.open(),
      };
    }

    /** Of `us`, whose position comes to 30. */
    async function putAside(...deadLetters: readonly DeadLetter[]): Promise<void> {
      const row = { ...place, beat: null, nextOffset: 0n };
      await ground.records.createPosition({ ...row, applied: 0n, settled: 0n });
      const decide = () => ({ writes: [], deadLetters });
      const positions = [{ ...row, expected: 0n, applied: 30n }];
      await ground.records.applyRemote({ origin: us, positions, ids: [record('a')], decide });
    }

    it('is empty where nothing was asked', async () => {
      expect(await ground.agenda.read()).toEqual({
        refill: null,
        drained: null,
        retired: [],
        jobs: [],
        verifications: [],
        incidents: [],
        letters: { hasFates: false, leastStampMs: null },
        awaited: [],
      });
    });

    it('holds everything that was asked and is not over, as the stores themselves give it', async () => {
      const { agenda, refills, drains, retirements, jobs, verifications, incidents, records } = ground;
      const row = { ...place, beat: null, nextOffset: 0n, applied: 5n, settled: 5n };
      await records.createPosition(row);
      await records.createPosition({ ...row, partition: 1 });
      await retirements.close(us, ap);
      await retirements.close(ap, null);
      const final = await retirements.position(us);
      expect(await retirements.retire(us, { final, heir: region('eu') }, [ap, us])).toBe(true);
      await refills.want({ donor: ap, accepted: [actorOf(us, incarnation)] });
      await drains.begin();
      const wish = { origin: us, cause: 'repair', isDryRun: false } as const;
      const ended = await jobs.want({ ...wish, donor: us });
      await jobs.end(ended, { state: 'done', detail: '' });
      const going = await jobs.want({ ...wish, donor: ap });
      const counts = { examined: 1, differing: 2, merged: 3, refused: 4, bytes: 5 };
      await jobs.start(going);
      await jobs.note(going, { cursor: record('b'), vector: final, beats: [], counts });
      await verifications.want([us, ap]);
      await verifications.ended(us, { sweep: 1, startedAtMs: 1_700_000_000_000, diverged: 1 });
      await incidents.create({ ...fresh, peer: ap });
      const { letters, awaited, ...read } = await agenda.read();
      expect(read).toEqual(await oneByOne());
      expect([letters, awaited]).toEqual([{ hasFates: false, leastStampMs: null }, []]);
      expect(read).toMatchObject({
        refill: { donor: 'ap', state: 'securing' },
        drained: { beat: null },
        retired: [{ region: 'ap' }, { region: 'us', isReached: true }],
        jobs: [{ donor: 'ap', state: 'running', place: { counts } }],
        verifications: [{ peer: 'ap' }, { peer: 'us', diverged: true }],
        incidents: [{ peer: 'ap' }],
      });
    });

    it('forgets what is over', async () => {
      const { agenda, drains, jobs, refills } = ground;
      await drains.begin();
      await refills.want({ donor: ap, accepted: [] });
      const job = await jobs.want({ donor: ap, origin: us, cause: 'repair', isDryRun: true });
      expect(await agenda.read()).toMatchObject({ drained: {}, jobs: [{ id: job }] });
      await drains.end();
      expect(await refills.refuse('no')).toBe(true);
      await jobs.end(job, { state: 'failed', detail: 'no' });
      const refill = { state: 'refused', detail: 'no' };
      expect(await agenda.read()).toMatchObject({ refill, drained: null, jobs: [] });
    });

    it('tells the least stamp of what was put aside, and of letters that were given up', async () => {
      const { agenda, deadLetters } = ground;
      const letters = async () => (await agenda.read()).letters;
      await putAside(letter(11n, null), letter(12n, 9_000), letter(13n, 7_000));
      expect(await letters()).toEqual({ hasFates: false, leastStampMs: 7_000 });
      const apply = (state: Uint8Array) => ({ kind: 'apply', state, conflicts: 0 }) as const;
      expect(await deadLetters.retry([{ ...place, lsn: 13n }], apply)).toEqual(['applied']);
      expect(await letters()).toEqual({ hasFates: false, leastStampMs: 9_000 });
      await deadLetters.giveUp({ ...place, lsn: 11n }, { reason: 'no', isLossAccepted: false });
      expect(await letters()).toEqual({ hasFates: true, leastStampMs: 9_000 });
      await deadLetters.giveUp({ ...place, lsn: 12n }, { reason: 'no', isLossAccepted: true });
      expect(await letters()).toEqual({ hasFates: true, leastStampMs: null });
    });
  });
}
