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
  readonly verifications: Pick<VerificationStore, 'all' | 'ended'> | null;
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

    const since = (sinceMs: number, peer: RegionId = us, signal = going) =>
      ground.sweeps.cleanSweepSince(peer, { sinceMs, isStill: true, signal });
    const wanted = async (): Promise<readonly RegionId[]> =>
      ((await ground.verifications?.all()) ?? []).filter(({ isWanted }) => isWanted).map(({ peer }) => peer);

    it('has no word of what nobody has compared, and has it compared', async () => {
      expect(await since(100)).toBeNull();
      if (ground.verifications !== null) expect(await wanted()).toEqual([us]);
    });

    it('takes a clean sweep for a proof only of what was there when it began', async () => {
      const { verifications } = ground;
      if (verifications === null) return;
      await verifications.ended(us, { startedAtMs: 100, diverged: 0 });
      expect(await since(99)).not.toBeNull();
      expect(await wanted()).toEqual([]);
      expect(await since(100)).toBeNull();
      expect(await since(101)).toBeNull();
      expect(await wanted()).toEqual([us]);
      await verifications.ended(us, { startedAtMs: 102, diverged: 0 });
      expect(await since(101)).not.toBeNull();
    });

    it('takes no sweep that found a difference for a proof, and none of another peer', async () => {
      const { verifications } = ground;
      if (verifications === null) return;
      await verifications.ended(us, { startedAtMs: 200, diverged: 1 });
      await verifications.ended(ap, { startedAtMs: 200, diverged: 0 });
      expect(await since(100)).toBeNull();
      expect(await since(100, ap)).not.toBeNull();
      await verifications.ended(us, { startedAtMs: 300, diverged: 0 });
      expect(await since(100)).not.toBeNull();
      await verifications.ended(us, { startedAtMs: 400, diverged: 2 });
      expect(await since(100), 'what was clean has parted since').toBeNull();
    });

    it('takes digests for a proof once all were equal since then, each at some moment', async () => {
      const { digests } = ground;
      if (digests === null) return;
      digests.equal(['products']);
      expect(await since(100)).toBeNull();
      digests.equal(['orders']);
      expect(await since(100)).toMatchObject({ own: { products: expect.any(String) } });
    });

    it('does not put together what was equal for another moment or at another peer', async () => {
      const { digests } = ground;
      if (digests === null) return;
      digests.equal(['products']);
      expect([await since(100), await since(300, ap)]).toEqual([null, null]);
      digests.equal(['orders']);
      expect(await since(200)).toBeNull();
      expect(await since(100), 'that moment was given up').toBeNull();
      digests.equal(['products', 'orders']);
      expect(await since(200)).not.toBeNull();
    });

    it('says nothing where nobody waits, and has nothing compared for that', async () => {
      ground.digests?.equal(['products', 'orders']);
      await ground.verifications?.ended(us, { startedAtMs: 200, diverged: 0 });
      expect(await since(100, us, AbortSignal.abort())).toBeNull();
      expect(await since(300, ap, AbortSignal.abort())).toBeNull();
      expect(await wanted()).toEqual([]);
    });

    it('ends soon when nobody waits any more', async () => {
      const { digests } = ground;
      if (digests === null) return;
      digests.equal(['products', 'orders']);
      const [end, hung] = [new AbortController(), digests.hang()];
      const asked = since(100, us, end.signal);
      await hung;
      end.abort();
      expect(await asked).toBeNull();
      expect(await wanted()).toEqual([]);
    });

    it('has no word where the database has none', async () => {
      if (ground.goDown === null) return;
      ground.goDown();
      await expect(since(100)).rejects.toMatchObject({ code: 'database-unavailable', retriable: true });
    });
  });
}
