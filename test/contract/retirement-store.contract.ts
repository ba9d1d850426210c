/** What every `RetirementStore` must do. */
import type { ApplyOutcome, RecordStore } from '@isthmus/replication/ports/record-store';
import type { RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { TransferJobs } from '@isthmus/replication/ports/transfer-jobs';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { region } from './record-store.contract.ts';

export interface OpenRetirementStore {
  readonly retirements: RetirementStore;
  readonly records: RecordStore;
  readonly transfers: TransferStore;
  readonly jobs: TransferJobs;
  readonly close: () => Promise<void>;
}

const [eu, us, ap] = [region('eu'), region('us'), region('ap')];
const incarnation = { counter: 1, nonce: 7 };
const entry = (partition: number, lsn: bigint) => ({ region: us, incarnation, partition, lsn });

/** Moves a partition of `us` on, as an applier would. */
export function apply(records: RecordStore, expected: bigint, partition = 0): Promise<ApplyOutcome> {
  const positions = [
    { incarnation, partition, expected, applied: expected + 1n, beat: null, nextOffset: 1n },
  ];
  return records.applyRemote({
    origin: us,
    positions,
    ids: [],
    decide: () => ({ writes: [], deadLetters: [] }),
  });
}

const raising = {
  region: region('eu'),
  given: [],
  whole: [],
  beats: [],
  floorMs: 0,
  partitionOf: () => 0,
  decide: () => [],
};

export async function place(records: RecordStore, partition: number, lsn: bigint): Promise<void> {
  const at = { incarnation, partition, applied: lsn, settled: lsn, beat: null, nextOffset: 0n };
  await records.createPosition({ origin: us, ...at });
}

export function retirementStoreContract(name: string, open: () => Promise<OpenRetirementStore>): void {
  describe(`RetirementStore: ${name}`, () => {
    let opened: OpenRetirementStore;
    beforeEach(async () => {
      opened = await open();
      await place(opened.records, 0, 5n);
      await place(opened.records, 1, 8n);
    });
    afterEach(() => opened.close());

    it('fences every applier of a region that was closed, and says how far it had come', async () => {
      const { retirements, records } = opened;
      expect(await apply(records, 5n)).toBe('applied');
      expect(await retirements.position(us)).toEqual([entry(0, 6n), entry(1, 8n)]);
      expect(await retirements.close(us, null)).toEqual([entry(0, 6n), entry(1, 8n)]);
      expect(await apply(records, 6n)).toBe('fenced');
      expect(await retirements.close(us, null)).toEqual([entry(0, 6n), entry(1, 8n)]);
      expect(await retirements.all()).toEqual([
        { region: us, wish: null, final: null, heir: null, isReached: false },
      ]);
    });

    it('is reached once transfers have brought what the survivors agreed on', async () => {
      const { retirements, transfers } = opened;
      await retirements.close(us, null);
      const final = [entry(0, 9n), entry(1, 8n)];
      expect(await retirements.retire(us, { final, heir: eu }, [us])).toBe(true);
      expect(await retirements.all()).toEqual([
        { region: us, wish: null, final, heir: eu, isReached: false },
      ]);
      await transfers.raise({ ...raising, job: 1, vector: final });
      expect(await retirements.all()).toEqual([{ region: us, wish: null, final, heir: eu, isReached: true }]);
    });

    it('takes no final vector before the close, below it, or after another', async () => {
      const { retirements } = opened;
      const final = [entry(0, 9n), entry(1, 8n)];
      expect(await retirements.retire(us, { final, heir: eu }, [us])).toBe(false);
      await retirements.close(us, null);
      expect(await retirements.retire(us, { final: [entry(0, 9n), entry(1, 7n)], heir: eu }, [us])).toBe(
        false,
      );
      expect(await retirements.retire(us, { final, heir: eu }, [us])).toBe(true);
      expect(await retirements.retire(us, { final, heir: eu }, [us])).toBe(true);
      expect(await retirements.retire(us, { final: [entry(0, 10n), entry(1, 8n)], heir: eu }, [us])).toBe(
        false,
      );
      expect(await retirements.retire(us, { final, heir: ap }, [us])).toBe(false);
      expect(await retirements.all()).toMatchObject([{ final, heir: eu }]);
    });

    it('keeps the wish of whoever closed it first', async () => {
      const { retirements } = opened;
      await retirements.close(us, ap);
      await retirements.close(us, eu);
      await retirements.close(ap, null);
      await retirements.close(ap, eu);
      expect(await retirements.all()).toMatchObject([
        { region: ap, wish: null },
        { region: us, wish: ap },
      ]);
    });

    it('takes nothing that was decided while other regions were closed', async () => {
      const { retirements } = opened;
      await retirements.close(us, null);
      const agreed = { final: [entry(0, 5n), entry(1, 8n)], heir: ap };
      await retirements.close(ap, null);
      expect(await retirements.retire(us, agreed, [us])).toBe(false);
      expect(await retirements.retire(us, agreed, [us, ap, eu])).toBe(false);
      expect(await retirements.retire(us, agreed, [us, ap])).toBe(true);
    });

    it('is closed too where a position is opened afterwards', async () => {
      const { retirements, records, transfers } = opened;
      await retirements.close(us, null);
      await place(records, 2, 3n);
      await transfers.raise({ ...raising, job: 1, vector: [entry(3, 4n)] });
      expect(await apply(records, 3n, 2)).toBe('fenced');
      expect(await apply(records, 4n, 3)).toBe('fenced');
    });

    it('lets no transfer bring anything from it, and goes on with those from others', async () => {
      const { retirements, transfers, jobs } = opened;
      const job = { origin: us, cause: 'tail', isDryRun: false } as const;
      const [fromUs, fromAp] = [
        await jobs.want({ ...job, donor: us }),
        await jobs.want({ ...job, donor: ap }),
      ];
      const merging = {
        ids: [{ collection: 'c', key: 'k' }],
        decide: () => ({ writes: [{ index: 0, state: new Uint8Array([1]) }], refused: [] }),
      };
      await retirements.close(us, null);
      const gone = { code: 'peer-retired' };
      await expect(transfers.merge({ ...merging, job: fromUs })).rejects.toMatchObject(gone);
      const vector = [entry(0, 9n)];
      await expect(transfers.raise({ ...raising, job: fromUs, vector })).rejects.toMatchObject(gone);
      expect(await retirements.position(us)).toEqual([entry(0, 5n), entry(1, 8n)]);
      expect(await transfers.merge({ ...merging, job: fromAp })).toBe(true);
      expect(await transfers.raise({ ...raising, job: fromAp, vector })).toBe(true);
      expect(await retirements.position(us)).toEqual([entry(0, 9n), entry(1, 8n)]);
    });
  });
}
