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

    it('keep the last clean sweep while a later one finds a divergence', async () => {
      expect(await opened.verifications.all()).toEqual([]);
      await opened.verifications.ended(peer, { startedAtMs: 1000.5, diverged: 0 });
      expect(await opened.verifications.all()).toMatchObject([{ peer, throughMs: 1000.5, diverged: false }]);
      await opened.verifications.ended(peer, { startedAtMs: 2000, diverged: 3 });
      expect(await opened.verifications.all()).toMatchObject([{ peer, throughMs: 1000.5, diverged: true }]);
      await opened.verifications.ended(peer, { startedAtMs: 3000, diverged: 0 });
      expect(await opened.verifications.all()).toMatchObject([{ peer, throughMs: 3000, diverged: false }]);
    });

    it('are wanted until a sweep has begun', async () => {
      await opened.verifications.want([peer, region('ap')]);
      await opened.verifications.began(peer);
      expect(await opened.verifications.all()).toMatchObject([
        { peer: 'ap', isWanted: true, throughMs: null, diverged: null, sweptAtMs: null },
        { peer: 'us', isWanted: false },
      ]);
    });
  });
}
