/**
 * What every `PeerClient` must do (P7): an echo is a beat of this very life that the peer holds, whatever cannot be known
 * is not taken for something, and no peer, dead, slow or failing, is waited for without end.
 */
import type { Incarnation, RegionId } from '@isthmus/replication/ports/identity';
import type { PeerClient } from '@isthmus/replication/ports/peer-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AskedPeer } from './asked-peer.ts';
import { region } from './record-store.contract.ts';

export interface PeerClientGround {
  /** Of the region eu in its first life. */
  readonly client: PeerClient;
  /** The one that is asked, and what it answers from. */
  readonly peer: RegionId;
  readonly asked: AskedPeer;
  /** How long ago the peer's positions were last moved; `null`: it cannot tell. */
  readonly moved: (agoMs: number | null) => void;
  /** How the peer answers for the digests of collections; `null`: nobody asks for them there. */
  readonly digest: ((digestOf: (collection: string) => Promise<string | null>) => void) | null;
  /** The peer is configured anew, without the caller; `null`: its peers are what they are. */
  readonly unname: (() => void) | null;
  /** Nothing reaches the peer any more, until the returned function is called. */
  readonly cut: () => () => void;
  /** The peer is there and answers nothing any more. */
  readonly hang: () => void;
  /** Lets time pass until this has come. */
  readonly go: <T>(coming: Promise<T>) => Promise<T>;
  readonly close: () => Promise<void>;
}

export const self = { region: region('eu'), incarnation: { counter: 1, nonce: 7 } };
const other: Incarnation = { counter: 2, nonce: 7 };
const going = new AbortController().signal;

export function peerClientContract(name: string, begin: () => Promise<PeerClientGround>): void {
  describe(`PeerClient: ${name}`, () => {
    let ground: PeerClientGround;
    beforeEach(async () => {
      ground = await begin();
    });
    afterEach(() => ground.close());

    const ping = () => ground.go(ground.client.ping(ground.peer));
    const digests = (collections: readonly string[], signal = going) =>
      ground.go(ground.client.digests(ground.peer, collections, signal));

    /** Before a life that is not the first others have written. */
    function uncounted(beat: number) {
      const { incarnation } = ground.asked;
      return incarnation.counter === 1 ? null : { incarnation, beat, count: null };
    }

    it('tells a peer that knows nothing from one that does not answer', async () => {
      const nothing = { echoedBeat: null, changesAgeMs: null, written: uncounted(1) };
      expect(await ping()).toEqual({ ...nothing, namesCaller: true });
      const uncut = ground.cut();
      expect(await ping()).toBeNull();
      uncut();
      expect(await ping()).not.toBeNull();
    });

    it('hears from a peer that is not configured with this region that it is not', async () => {
      if (ground.unname === null) return;
      ground.unname();
      expect(await ping()).toMatchObject({ namesCaller: false });
    });

    it('takes the newest beat of this life for an echo', async () => {
      await ground.asked.hear(self.region, self.incarnation, 41);
      expect(await ping()).toMatchObject({ echoedBeat: 41 });
      await ground.asked.hear(self.region, self.incarnation, 42);
      expect(await ping()).toMatchObject({ echoedBeat: 42 });
    });

    it.each([
      ['of another life', self.region, other],
      ['of a life with another nonce', self.region, { counter: 1, nonce: 8 }],
      ['of another region', region('ap'), self.incarnation],
    ])('takes no beat %s for an echo', async (_what, origin, incarnation) => {
      await ground.asked.hear(origin, incarnation, 42);
      expect(await ping()).toMatchObject({ echoedBeat: null });
    });

    it('tells what the peer has written by its newest beat that was counted, and that another life was before', async () => {
      const { asked } = ground;
      const { incarnation } = asked;
      await asked.beat();
      await asked.beat();
      expect(await ping()).toMatchObject({ written: uncounted(2) });
      await asked.count(0);
      await asked.beat();
      expect(await ping()).toMatchObject({ written: { incarnation, beat: 2, count: 0 } });
      await asked.count(7);
      expect(await ping()).toMatchObject({ written: { incarnation, beat: 3, count: 7 } });
    });

    it('tells that changes came just now from that nobody can tell', async () => {
      ground.moved(0);
      expect(await ping()).toMatchObject({ changesAgeMs: 0 });
      ground.moved(1500);
      expect(await ping()).toMatchObject({ changesAgeMs: 1500 });
      ground.moved(null);
      expect(await ping()).toMatchObject({ changesAgeMs: null });
    });

    it('takes the failure of a peer for no answer', async () => {
      await ground.asked.hear(self.region, self.incarnation, 42);
      ground.asked.fail();
      expect(await ping()).toBeNull();
    });

    it('waits for no silent peer without end, however many ask at once', async () => {
      ground.hang();
      const asking = Array.from({ length: 5 }, () => ground.client.ping(ground.peer));
      expect(await ground.go(Promise.all(asking))).toEqual([null, null, null, null, null]);
    });

    it('has no answer of a region that it does not know', async () => {
      const stranger = region('xx');
      expect(await ground.go(ground.client.ping(stranger))).toBeNull();
      expect(await ground.go(ground.client.digests(stranger, ['a'], going))).toEqual(new Map());
    });

    it('tells the digests of those collections of which the peer says something', async () => {
      if (ground.digest === null) return expect(await digests(['a'])).toEqual(new Map());
      const held = new Map([
        ['a', 'x'],
        ['b c/ä', 'y'],
      ]);
      const seen: string[] = [];
      ground.digest(async (collection) => {
        seen.push(collection);
        return held.get(collection) ?? null;
      });
      expect(await digests(['none', 'a', 'b c/ä'])).toEqual(held);
      expect(await digests([])).toEqual(new Map());
      expect(seen).toEqual(['none', 'a', 'b c/ä']);
    });

    it('tells what it has when nobody waits any more, and asks for nothing else', async () => {
      if (ground.digest === null) return;
      const end = new AbortController();
      const seen: string[] = [];
      const hung = new Promise<void>((resolve) => {
        ground.digest?.((collection) => {
          seen.push(collection);
          if (collection === 'a') return Promise.resolve('x');
          resolve();
          return new Promise(() => undefined);
        });
      });
      const asked = ground.client.digests(ground.peer, ['a', 'b', 'c'], end.signal);
      await ground.go(hung);
      end.abort();
      // Not by time: nobody lets it pass.
      expect(await asked).toEqual(new Map([['a', 'x']]));
      expect(await digests(['a'], end.signal)).toEqual(new Map());
      expect(seen).toEqual(['a', 'b']);
    });
  });
}
