import { expect, test } from 'vitest';
import { emptyOffer } from '../adapters/memory/empty-offer.ts';
import { ReplicationError } from '../errors.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { TransferPeer } from '../ports/transfer-peer.ts';
import type { Standing } from '../ports/transfer-store.ts';
import { surveyPeers } from './survey.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const self = {
  region: parseRegionId('eu') ?? expect.fail('eu is a region'),
  incarnation: { counter: 1, nonce: 5 },
  partitionCount: 1,
};
const standing: Standing = {
  settled: [],
  applied: [],
  ahead: [],
  whole: [],
  horizon: [],
  floorMs: 0,
  insertLsn: 1n,
  beat: null,
  beats: [],
  slot: null,
  isEmpty: true,
  refill: 'none',
  readAtMs: 0,
};

const incarnations = { relearning: async () => null };

test('a peer that answers nothing is waited for no longer than anybody waits', async () => {
  const end = new AbortController();
  const peer: TransferPeer = {
    ask: (_peer, _request, signal) =>
      new Promise((_, reject) => {
        const gone = new ReplicationError('peer-unavailable', 'nobody waits', { retriable: true });
        signal?.addEventListener('abort', () => reject(gone));
        end.abort();
      }),
  };
  const store = { standing: () => Promise.resolve(standing) };
  const { asked } = await surveyPeers({ self, peers: [us], peer, store, incarnations }, 1n, end.signal);
  expect(asked).toEqual([{ peer: us, refusal: 'nobody waits' }]);
});

test('nothing is safe with a peer that may be emptied itself: of two that ask each other, the later sees it (I5)', async () => {
  const held = (lsn: bigint) => [{ region: self.region, incarnation: self.incarnation, partition: 0, lsn }];
  const offer = emptyOffer({ region: us, incarnation: { counter: 1, nonce: 6 } }, { vector: held(9n) });
  const survey = (mayBeEmptied: boolean) => {
    const ask: TransferPeer['ask'] = async () => ({ kind: 'offer', offer: { ...offer, mayBeEmptied } });
    const store = { standing: () => Promise.resolve({ ...standing, isEmpty: false }) };
    return surveyPeers({ self, peers: [us], peer: { ask }, store, incarnations }, 9n);
  };
  expect(await survey(false)).toMatchObject({ loss: [], donor: us, asked: [{ peer: us, refusal: null }] });
  const refusal = 'is to be filled anew itself';
  expect(await survey(true)).toMatchObject({ loss: held(9n), donor: null, asked: [{ peer: us, refusal }] });
});
