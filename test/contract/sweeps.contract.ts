/**
 * What every `Sweeps` must do (P7): the end of an incident hangs on its word, so it gives none for what was shown before
 * the moment that is asked about, of somebody else, of a part, or not at all.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { Sweeps } from '@isthmus/replication/ports/sweeps';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { region } from './record-store.contract.ts';

export interface SweepsGround {
  readonly sweeps: Sweeps;
  /** Where sweeps by transfer are noted; `null`: there are none. */
  readonly verifications: Pick<VerificationStore, 'all' | 'began' | 'ended'> | null;
  /** Digests that may be compared instead; `null`: nobody compares any. */
  readonly digests: ComparedDigests | null;
  readonly goDown: (() => void) | null;
  readonly close: () => Promise<void>;
}

/** Of the collections `products` and `orders`. */
export interface ComparedDigests {
  /** Which of them are equal on both sides from now on. */
  readonly equal: (collections: readonly string[]) => void;
  /** Reading the own side ends no more; resolves once that is tried. */
  readonly hang: () => Promise<void>;
}

const [us, ap] = [region('us'), region('ap')];
const going = new AbortController().signal;

export function sweepsContract(name: string, begin: () => Promise<SweepsGround>): void {
  describe(`Sweeps: ${name}`, () => {
    let ground: SweepsGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    const since = (moment: string, peer: RegionId = us, signal = going) =>
      ground.sweeps.cleanSweepSince(peer, { since: moment, isStill: true, mayCompare: true, signal });
    const known = (moment: string) =>
      ground.sweeps.cleanSweepSince(us, { since: moment, isStill: true, mayCompare: false, signal: going });
    const startSweep = async (peer: RegionId = us): Promise<number> =>
      (await ground.verifications?.began(peer)) ?? expect.fail('there are no sweeps by transfer');
    const endSweep = async (
      sweep: number,
      diverged = 0,
      startedAtMs = 1000,
      peer: RegionId = us,
    ): Promise<void> => ground.verifications?.ended(peer, { sweep, startedAtMs, diverged });
    const wanted = async (): Promise<readonly RegionId[]> =>
      ((await ground.verifications?.all()) ?? []).filter(({ isWanted }) => isWanted).map(({ peer }) => peer);

    it('has no word of what nobody has compared, and has it compared', async () => {
      expect(await since('heal')).toBeNull();
      if (ground.verifications !== null) expect(await wanted()).toEqual([us]);
    });

    it('takes a clean sweep for a proof only of what was there when it began', async () => {
      if (ground.verifications === null) return;
      await endSweep(await startSweep());
      expect(await since('heal'), 'it began before').toBeNull();
      expect(await wanted()).toEqual([us]);
      await endSweep(await startSweep());
      expect(await since('heal')).not.toBeNull();
      expect(await wanted()).toEqual([]);
      expect(await since('next heal')).toBeNull();
      expect(await wanted()).toEqual([us]);
    });

    it('takes no sweep that was under way for a proof, however much later its clock was (0068)', async () => {
      if (ground.verifications === null) return;
      const underWay = await startSweep();
      expect(await since('heal')).toBeNull();
      await endSweep(underWay, 0, 9_000_000_000_000);
      expect(await since('heal')).toBeNull();
      expect(await wanted(), 'another one').toEqual([us]);
      await endSweep(await startSweep(), 0, 1);
      expect(await since('heal'), 'its clock was set back before it began').not.toBeNull();
    });

    it('waits for the first sweep that began since, however often it asks', async () => {
      if (ground.verifications === null) return;
      expect(await since('heal')).toBeNull();
      const first = await startSweep();
      expect(await since('heal')).toBeNull();
      await endSweep(first);
      expect(await since('heal')).not.toBeNull();
    });

    it('tells what is proven also to who may have nothing compared, and has nothing compared for that', async () => {
      ground.digests?.equal(['products', 'orders']);
      expect(await known('heal')).toBeNull();
      expect(await wanted()).toEqual([]);
      if (ground.verifications === null) {
        expect(await since('heal')).not.toBeNull();
      } else {
        ground.digests?.equal([]);
        expect(await since('heal')).toBeNull();
        await endSweep(await startSweep());
      }
      expect(await known('heal')).not.toBeNull();
      expect(await known('next heal'), 'of another moment').toBeNull();
      expect(await wanted()).toEqual([]);
    });

    it('takes no sweep that found a difference for a proof, and none of another peer', async () => {
      if (ground.verifications === null) return;
      expect([await since('heal'), await since('heal', ap)]).toEqual([null, null]);
      await endSweep(await startSweep(), 1);
      await endSweep(await startSweep(ap), 0, 1000, ap);
      expect(await since('heal')).toBeNull();
      expect(await since('heal', ap)).not.toBeNull();
      await endSweep(await startSweep());
      expect(await since('heal')).not.toBeNull();
      await endSweep(await startSweep(), 2);
      expect(await since('heal'), 'what was clean has parted since').toBeNull();
    });

    it('takes digests for a proof once all were equal since then, each at some moment', async () => {
      const { digests } = ground;
      if (digests === null) return;
      digests.equal(['products']);
      expect(await since('heal')).toBeNull();
      digests.equal(['orders']);
      expect(await since('heal')).toMatchObject({ own: { products: expect.any(String) } });
    });

    it('does not put together what was equal for another moment or at another peer', async () => {
      const { digests } = ground;
      if (digests === null) return;
      digests.equal(['products']);
      expect([await since('heal'), await since('another', ap)]).toEqual([null, null]);
      digests.equal(['orders']);
      expect(await since('next heal')).toBeNull();
      expect(await since('heal'), 'that moment was given up').toBeNull();
      digests.equal(['products', 'orders']);
      expect(await since('next heal')).not.toBeNull();
    });

    it('says nothing where nobody waits, and has nothing compared for that', async () => {
      ground.digests?.equal(['products', 'orders']);
      if (ground.verifications !== null) await endSweep(await startSweep());
      expect(await since('heal', us, AbortSignal.abort())).toBeNull();
      expect(await since('heal', ap, AbortSignal.abort())).toBeNull();
      expect(await wanted()).toEqual([]);
    });

    it('ends soon when nobody waits any more', async () => {
      const { digests } = ground;
      if (digests === null) return;
      digests.equal(['products', 'orders']);
      const [end, hung] = [new AbortController(), digests.hang()];
      const asked = since('heal', us, end.signal);
      await hung;
      end.abort();
      expect(await asked).toBeNull();
      expect(await wanted()).toEqual([]);
    });

    it('has no word where the database has none', async () => {
      if (ground.goDown === null) return;
      ground.goDown();
      await expect(since('heal')).rejects.toMatchObject({ code: 'database-unavailable', retriable: true });
    });
  });
}
