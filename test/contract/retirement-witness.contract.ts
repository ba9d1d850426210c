/**
 * What every `RetirementWitness` and `FinalWitness` must do (P8): what survivors decide for good hangs on their words, so
 * a word is whole and of the region that was asked about, and silence is never a word.
 */
import type { MemoryRecordStore } from '@isthmus/replication/adapters/memory/record-store';
import type { MemoryRetirementStore } from '@isthmus/replication/adapters/memory/retirement-store';
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { FinalWitness, RetirementWitness } from '@isthmus/replication/ports/retirement-witness';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PeerClientGround } from './peer-client.contract.ts';
import { region } from './record-store.contract.ts';

export interface WitnessGround extends Pick<PeerClientGround, 'cut' | 'hang' | 'go' | 'close'> {
  /** Of the region eu. */
  readonly witness: RetirementWitness;
  /** `null`: nobody asks for that there. */
  readonly final: FinalWitness | null;
  /** The survivor us that is asked, whose peers are ap, eu and sa, and what it answers from. */
  readonly peer: RegionId;
  readonly retirements: MemoryRetirementStore;
  readonly records: MemoryRecordStore;
  /** The database of the one that is asked answers nothing but failures. */
  readonly fail: () => void;
}

const [eu, us, ap, sa] = [region('eu'), region('us'), region('ap'), region('sa')];
const [first, second] = [
  { counter: 1, nonce: 7 },
  { counter: 2, nonce: 2 ** 32 - 1 },
];
const high = 2n ** 63n + 1n;

export function retirementWitnessContract(name: string, begin: () => Promise<WitnessGround>): void {
  describe(`RetirementWitness: ${name}`, () => {
    let ground: WitnessGround;
    beforeEach(async () => {
      ground = await begin();
      for (const [origin, incarnation, partition, applied] of [
        [ap, first, 0, 5n],
        [ap, second, 3, high],
        [sa, first, 1, 9n],
      ] as const) {
        const place = { incarnation, partition, applied, settled: applied, beat: null, nextOffset: 0n };
        await ground.records.createPosition({ origin, ...place });
      }
    });
    afterEach(() => ground.close());

    const closedAt = (peer = ground.peer) => ground.go(ground.witness.closedAt(peer));
    const wordOf = (of: RegionId, peer = ground.peer) => ground.go(ground.witness.wordOf(peer, of));
    const finalOf = (of: RegionId) => ground.final && ground.go(ground.final.finalOf(ground.peer, of));
    const position = [
      { region: ap, incarnation: first, partition: 0, lsn: 5n },
      { region: ap, incarnation: second, partition: 3, lsn: high },
    ];

    it('tells a peer that has closed nobody from one that does not answer', async () => {
      expect(await closedAt()).toEqual([]);
      const uncut = ground.cut();
      expect(await closedAt()).toBeNull();
      expect(await wordOf(ap)).toBeNull();
      uncut();
      expect(await closedAt()).toEqual([]);
    });

    it('names all that the peer has closed, also the one that asks', async () => {
      await ground.retirements.close(sa, null);
      await ground.retirements.close(eu, us);
      expect(await closedAt()).toEqual([eu, sa]);
    });

    it('has no word of a region that the peer has not closed', async () => {
      await ground.retirements.close(sa, null);
      expect(await wordOf(ap)).toBeNull();
      expect(await wordOf(sa)).not.toBeNull();
    });

    it('brings the word whole: survivors, how far the peer is in each life, whom it would have', async () => {
      await ground.retirements.close(ap, null);
      const word = { survivors: [eu, sa, us], position, wish: null, agreed: null };
      expect(await wordOf(ap)).toEqual(word);
      await ground.retirements.close(sa, us);
      expect(await wordOf(sa)).toMatchObject({ survivors: [eu, us], wish: us, agreed: null });
      expect(await wordOf(ap)).toMatchObject({ survivors: [eu, us] });
    });

    it('brings what was agreed on, and where everything of it ends once that is reached', async () => {
      await ground.retirements.close(ap, sa);
      expect(await finalOf(ap)).toBeNull();
      const further = [{ region: ap, incarnation: second, partition: 3, lsn: high + 9n }];
      const final = [...position.slice(0, 1), ...further];
      expect(await ground.retirements.retire(ap, { final, heir: sa }, [ap])).toBe(true);
      expect(await wordOf(ap)).toMatchObject({ wish: sa, agreed: { final, heir: sa } });
      expect(await finalOf(ap), 'it is not reached').toBeNull();
    });

    it('says the end only of the region that was asked about', async () => {
      await ground.retirements.close(ap, null);
      expect(await ground.retirements.retire(ap, { final: position, heir: us }, [ap])).toBe(true);
      if (ground.final === null) return;
      expect(await finalOf(ap)).toEqual(position);
      expect(await finalOf(sa)).toBeNull();
    });

    it('takes the failure of a peer for no answer', async () => {
      await ground.retirements.close(ap, null);
      ground.fail();
      expect([await closedAt(), await wordOf(ap), await finalOf(ap)]).toEqual([null, null, null]);
    });

    it('waits for no silent peer without end, however many ask at once', async () => {
      ground.hang();
      const { witness, peer } = ground;
      const asking = [witness.closedAt(peer), witness.wordOf(peer, ap), witness.wordOf(peer, sa)];
      expect(await ground.go(Promise.all<unknown>(asking))).toEqual([null, null, null]);
    });

    it('has no answer of a region that it does not know', async () => {
      expect([await closedAt(region('xx')), await wordOf(ap, region('xx'))]).toEqual([null, null]);
    });
  });
}
