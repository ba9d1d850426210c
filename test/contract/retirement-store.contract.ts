/** What every `RetirementStore` must do. */
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import type { RetirementStore } from '@isthmus/replication/ports/retirement-store';
import type { TransferStore } from '@isthmus/replication/ports/transfer-store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { region } from './record-store.contract.ts';

export interface OpenRetirementStore {
  readonly retirements: RetirementStore;
  readonly records: RecordStore;
  readonly transfers: Pick<TransferStore, 'raise'>;
  readonly close: () => Promise<void>;
}

const [eu, us, ap] = [region('eu'), region('us'), region('ap')];
const incarnation = { counter: 1, nonce: 7 };
const entry = (partition: number, lsn: bigint) => ({ region: us, incarnation, partition, lsn });

/** Moves a partition of `us` on, as an applier would. */
export function apply(records: RecordStore, expected: bigint): Promise<'applied' | 'fenced'> {
  const positions = [
    { incarnation, partition: 0, expected, applied: expected + 1n, beat: null, nextOffset: 1n },
  ];
  return records.applyRemote({
    origin: us,
    positions,
    ids: [],
    decide: () => ({ writes: [], deadLetters: [] }),
  });
}

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
      expect(await retirements.close(us)).toEqual([entry(0, 6n), entry(1, 8n)]);
      expect(await apply(records, 6n)).toBe('fenced');
      expect(await retirements.close(us)).toEqual([entry(0, 6n), entry(1, 8n)]);
      expect(await retirements.all()).toEqual([{ region: us, final: null, heir: null, isReached: false }]);
    });

    it('is reached once transfers have brought what the survivors agreed on', async () => {
      const { retirements, transfers } = opened;
      await retirements.close(us);
      const final = [entry(0, 9n), entry(1, 8n)];
      expect(await retirements.retire(us, { final, heir: eu })).toBe(true);
      expect(await retirements.all()).toEqual([{ region: us, final, heir: eu, isReached: false }]);
      await transfers.raise({
        beats: [],
        floorMs: 0,
        job: 1,
        vector: final,
        partitionOf: () => 0,
        decide: () => [],
      });
      expect(await retirements.all()).toEqual([{ region: us, final, heir: eu, isReached: true }]);
    });

    it('takes no final vector before the close, below it, or after another', async () => {
      const { retirements } = opened;
      const final = [entry(0, 9n), entry(1, 8n)];
      expect(await retirements.retire(us, { final, heir: eu })).toBe(false);
      await retirements.close(us);
      expect(await retirements.retire(us, { final: [entry(0, 9n), entry(1, 7n)], heir: eu })).toBe(false);
      expect(await retirements.retire(us, { final, heir: eu })).toBe(true);
      expect(await retirements.retire(us, { final, heir: eu })).toBe(true);
      expect(await retirements.retire(us, { final: [entry(0, 10n), entry(1, 8n)], heir: eu })).toBe(false);
      expect(await retirements.retire(us, { final, heir: ap })).toBe(false);
      expect(await retirements.all()).toMatchObject([{ final, heir: eu }]);
    });
  });
}
