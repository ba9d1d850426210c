/** What every `VerificationStore` must do: keep what sweeps have proven of each peer, and for which one is wanted (P7). */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VerificationStore } from '@isthmus/replication/ports/verification';
import { region } from './record-store.contract.ts';

export interface OpenVerificationStore {
  readonly verifications: VerificationStore;
  readonly close: () => Promise<void>;
}

export function verificationStoreContract(name: string, open: () => Promise<OpenVerificationStore>): void {
  describe(`VerificationStore: ${name}`, () => {
    let opened: OpenVerificationStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const peer = region('us');

    const sole = async () => (await opened.verifications.all())[0];

    it('keep the begin of the last clean sweep while a later one finds a divergence', async () => {
      const { verifications } = opened;
      expect(await verifications.all()).toEqual([]);
      await verifications.ended(peer, { sweep: 1, startedAtMs: 1000.5, diverged: 0 });
      expect(await sole()).toMatchObject({ peer, throughMs: 1000.5, cleanSweep: 1, diverged: false });
      await verifications.ended(peer, { sweep: 2, startedAtMs: 2000, diverged: 3 });
      expect(await sole()).toMatchObject({ peer, throughMs: 1000.5, cleanSweep: null, diverged: true });
      await verifications.ended(peer, { sweep: 3, startedAtMs: 3000, diverged: 0 });
      expect(await sole()).toMatchObject({ peer, throughMs: 3000, cleanSweep: 3, diverged: false });
    });

    it('number the sweeps of a peer as they begin, and tell who wants one the number of the next', async () => {
      const { verifications } = opened;
      const other = region('ap');
      const next = async () => Object.fromEntries(await verifications.want([peer, other]));
      expect(await next()).toEqual({ us: 1, ap: 1 });
      expect(await verifications.began(peer)).toBe(1);
      expect(await next(), 'one that is under way began before').toEqual({ us: 2, ap: 1 });
      await verifications.ended(peer, { sweep: 1, startedAtMs: 1000, diverged: 0 });
      expect(await next()).toEqual({ us: 2, ap: 1 });
      expect([await verifications.began(peer), await verifications.began(peer)]).toEqual([2, 3]);
      expect(await verifications.began(other)).toBe(1);
      expect(await next()).toEqual({ us: 4, ap: 2 });
    });

    it('number them where nobody wants one, and those of two processes apart', async () => {
      const { verifications } = opened;
      const two = await Promise.all([verifications.began(peer), verifications.began(peer)]);
      expect(two.toSorted((a, b) => a - b)).toEqual([1, 2]);
    });

    it('believe the sweep that began later, whichever ends later and whatever clocks showed', async () => {
      const { verifications } = opened;
      await verifications.ended(peer, { sweep: 2, startedAtMs: 1000, diverged: 0 });
      for (const diverged of [0, 3]) {
        await verifications.ended(peer, { sweep: 1, startedAtMs: 9000, diverged });
        expect(await sole()).toMatchObject({ throughMs: 1000, cleanSweep: 2, diverged: false });
      }
      await verifications.ended(peer, { sweep: 4, startedAtMs: 2000, diverged: 1 });
      await verifications.ended(peer, { sweep: 3, startedAtMs: 1500, diverged: 0 });
      expect(await sole(), 'nothing from the fourth on is clean').toMatchObject({ cleanSweep: 3 });
    });

    it('stay wanted where that was said while a sweep was under way', async () => {
      const { verifications } = opened;
      const sweep = await verifications.began(peer);
      await verifications.want([peer]);
      await verifications.ended(peer, { sweep, startedAtMs: 1000, diverged: 0 });
      expect(await sole()).toMatchObject({ isWanted: true });
      await verifications.began(peer);
      expect(await sole()).toMatchObject({ isWanted: false });
    });

    it('are wanted until a sweep has begun', async () => {
      await opened.verifications.want([peer, region('ap')]);
      await opened.verifications.began(peer);
      expect(await opened.verifications.all()).toMatchObject([
        { peer: 'ap', isWanted: true, throughMs: null, cleanSweep: null, diverged: null, sweptAtMs: null },
        { peer: 'us', isWanted: false },
      ]);
    });
  });
}
