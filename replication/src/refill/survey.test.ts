import { expect, test } from 'vitest';
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
  isEmptied: false,
  readAtMs: 0,
};

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
  const { asked } = await surveyPeers({ self, peers: [us], peer, store }, 1n, end.signal);
  expect(asked).toEqual([{ peer: us, refusal: 'nobody waits' }]);
});
