/** Whom rights are handed to: the newest life of a peer that was heard of, and nobody else. */
import type { HeardBeat } from '@isthmus/replication/ports/beat-store';
import { type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import type { Figures, PeerFigures } from '@isthmus/replication/progress/figures';
import type { SettledPositions } from '@isthmus/replication/progress/settled-positions';
import { expect, it } from 'vitest';
import { PeerActors } from './peer-actors.ts';

const us = regionId('us');

it('knows only configured peers', () => {
  const { find } = actors({});
  expect(find('mars')).toEqual({ kind: 'none', peers: [us] });
  expect(find('eu')).toEqual({ kind: 'none', peers: [us] });
});

it('knows no actor before something has arrived', () => {
  expect(actors({}).find('us')).toEqual({ kind: 'unheard' });
  expect(new PeerActors([us], { last: null }).find('us')).toEqual({ kind: 'unheard' });
});

it.each([
  ['the one heard', { heard: 1 }, 'us.1.00000007'],
  ['the one applied', { applied: 1 }, 'us.1.00000007'],
  ['the one heard where it is newer', { heard: 2, applied: 1 }, 'us.2.00000007'],
  ['the one applied where it is newer', { heard: 1, applied: 2 }, 'us.2.00000007'],
])('takes %s', (_what, counters, actor) => {
  expect(actors(counters).find('us')).toEqual({ kind: 'known', actor });
});

function actors({ heard, applied }: { readonly heard?: number; readonly applied?: number }) {
  const peer: PeerFigures = {
    peer: us,
    heard: heard === undefined ? null : heardOf(heard),
    positions: applied === undefined ? null : positionsOf(applied),
    rpo: null,
    clockOffset: null,
    told: null,
    earlierOffsets: [],
  };
  const own = { newest: null, newestCounted: null, logCoveredAtMs: null, logCount: null };
  const last: Figures = { own, peers: [peer], deadLetters: [], readAtMs: 0 };
  const known = new PeerActors([us], { last });
  return { find: (name: string) => known.find(name) };
}

function heardOf(counter: number): HeardBeat {
  const beat = { number: 1, atMs: 0, count: 0, lsn: 1n, end: 1n };
  return { origin: us, incarnation: { counter, nonce: 7 }, beat, receivedAtMs: 0 };
}

function positionsOf(counter: number): SettledPositions {
  return { incarnation: { counter, nonce: 7 }, settled: [], beat: null };
}

function regionId(name: string): RegionId {
  const region = parseRegionId(name);
  if (region === null) throw new TypeError(`${name} is no region`);
  return region;
}
