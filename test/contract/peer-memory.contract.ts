/**
 * What every `PeerMemory` must do: a database whose log is lost is judged by this, so a peer that remembers nothing is
 * never mistaken for one that cannot say, nor the other way about.
 */
import type { RegionId } from '@isthmus/replication/ports/identity';
import type { PeerMemory } from '@isthmus/replication/ports/peer-memory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AskedPeer } from './asked-peer.ts';
import { type PeerClientGround, self } from './peer-client.contract.ts';
import { region } from './record-store.contract.ts';

export interface PeerMemoryGround extends Pick<PeerClientGround, 'cut' | 'hang' | 'go' | 'close'> {
  /** Of the region eu in its first life. */
  readonly memory: PeerMemory;
  readonly peer: RegionId;
  readonly asked: AskedPeer;
}

const later = { counter: 2, nonce: 9 };

export function peerMemoryContract(name: string, begin: () => Promise<PeerMemoryGround>): void {
  describe(`PeerMemory: ${name}`, () => {
    let ground: PeerMemoryGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    const remembered = () => ground.go(ground.memory.rememberedBy(ground.peer));

    it('tells a peer that has never heard of us from one that does not answer', async () => {
      await ground.asked.hear(region('ap'), self.incarnation, 42);
      expect(await remembered()).toBe('nothing');
      const uncut = ground.cut();
      expect(await remembered()).toBeNull();
      uncut();
      expect(await remembered()).toBe('nothing');
    });

    it('tells the newest beat as it was made, and that nothing of its life is applied', async () => {
      await ground.asked.hear(self.region, self.incarnation, 41);
      await ground.asked.hear(self.region, self.incarnation, 42);
      const { lsn, atMs } = ground.asked.beatOf(42);
      const { incarnation } = self;
      expect(await remembered()).toEqual({ incarnation, number: 42, made: { lsn, atMs }, applied: null });
    });

    it('tells of a life that is not ours, which is what somebody else wrote in our name', async () => {
      await ground.asked.hear(self.region, later, 3);
      expect(await remembered()).toMatchObject({ incarnation: later, number: 3 });
    });

    it('tells how far that life is applied where it is furthest, whole, and nothing of other lives', async () => {
      const { asked } = ground;
      await asked.hear(self.region, self.incarnation, 42);
      await asked.apply(self.region, later, { partition: 0, applied: 2n ** 64n - 1n });
      expect(await remembered()).toMatchObject({ applied: null });
      await asked.apply(self.region, self.incarnation, { partition: 0, applied: 5n });
      await asked.apply(self.region, self.incarnation, { partition: 1, applied: 2n ** 53n + 1n });
      await asked.apply(region('ap'), self.incarnation, { partition: 2, applied: 2n ** 60n });
      expect(await remembered()).toMatchObject({ number: 42, applied: 2n ** 53n + 1n });
    });

    it('takes the failure of a peer for no answer', async () => {
      ground.asked.fail();
      expect(await remembered()).toBeNull();
    });

    it('waits for no silent peer without end', async () => {
      ground.hang();
      expect(await remembered()).toBeNull();
    });
  });
}
