/** Which words of peers about the region's earlier lives count, and how long they are waited for (P9, I8). */
import { expect, test } from 'vitest';
import { emptyOffer } from '../adapters/memory/empty-offer.ts';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import type { Offer, TransferAnswer } from '../ports/transfer-peer.ts';
import type { Vector } from '../ports/vector.ts';
import { PastSurvey } from './past-survey.ts';

const named = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us] = [named('eu'), named('us')];
const self = { region: eu, incarnation: { counter: 2, nonce: 9 }, partitionCount: 2 };

const at = (counter: number, lsn: bigint, partition: number) => ({
  region: eu,
  incarnation: { counter, nonce: counter === 2 ? 9 : 7 },
  partition,
  lsn,
});
const past = [at(1, 50n, 0), at(1, 60n, 1)];
const other = { ...at(1, 5n, 0), region: us };

/** A peer that offers this, or refuses, or does not answer. */
function surveyOf(answer: Vector | 'refuses' | 'silent') {
  const timer = new ManualTimer();
  const open: string[] = [];
  const donor = { region: us, incarnation: { counter: 1, nonce: 3 } };
  const ahead = [at(1, 70n, 0), at(2, 90n, 0)];
  const offer = (vector: Vector): Offer => emptyOffer(donor, { snapshot: 'one', vector, ahead });
  const donors = {
    ask: async (_: RegionId, { kind }: { readonly kind: string }): Promise<TransferAnswer> => {
      open.push(kind);
      if (kind === 'close') return { kind: 'closed' };
      if (answer === 'refuses') return { kind: 'refused', refusal: 'busy', detail: 'two are open' };
      if (answer === 'silent')
        throw new ReplicationError('peer-unavailable', 'no answer', { retriable: true });
      return { kind: 'offer', offer: offer(answer) };
    },
  };
  return {
    timer,
    open,
    survey: new PastSurvey({ self, donors, timer, signal: new AbortController().signal }),
  };
}

test('a peer that reads the present life has said how far it holds the past, and its snapshot is given back', async () => {
  const { survey, open } = surveyOf([...past, at(2, 70n, 0), at(2, 70n, 1), other]);
  await survey.askPatiently([us]);
  expect([...survey.held]).toEqual([[us, { vector: past, ahead: [at(1, 70n, 0)] }]]);
  expect([...survey.others]).toEqual([[us, [other]]]);
  expect(open).toEqual(['open', 'close']);
});

test.each([
  ['may still come further in a partition', [...past, at(2, 70n, 0)]],
  ['refuses', 'refuses'],
  ['does not answer', 'silent'],
] as const)('a peer that %s is asked again, and not for ever', async (_, answer) => {
  const { survey, timer } = surveyOf(answer);
  await timer.advance(60_000);
  expect(survey.isPatienceOver).toBe(false);
  await survey.askPatiently([us]);
  await timer.advance(4900);
  await survey.askPatiently([us]);
  expect([survey.held.size, survey.isPatienceOver]).toEqual([0, false]);
  await timer.advance(200);
  expect(survey.isPatienceOver).toBe(false);
  await survey.askPatiently([us]);
  expect(survey.isPatienceOver).toBe(true);
});

test('an answer that is lost on the way does not use up the time in which the peer could have said it', async () => {
  const timer = new ManualTimer();
  const vector = [...past, at(2, 70n, 0), at(2, 70n, 1)];
  const answers: (TransferAnswer | null)[] = [
    null,
    {
      kind: 'offer',
      offer: emptyOffer({ region: us, incarnation: { counter: 1, nonce: 3 } }, { snapshot: 'one', vector }),
    },
    { kind: 'closed' },
  ];
  const donors = {
    ask: (_peer: RegionId, _request: unknown, limit?: AbortSignal): Promise<TransferAnswer> =>
      new Promise((resolve, reject) => {
        const answer = answers.shift();
        if (answer !== null && answer !== undefined) return resolve(answer);
        const unavailable = new ReplicationError('peer-unavailable', 'no answer', { retriable: true });
        limit?.addEventListener('abort', () => reject(unavailable));
      }),
  };
  const survey = new PastSurvey({ self, donors, timer, signal: new AbortController().signal });
  const first = survey.askPatiently([us]);
  await timer.advance(5000);
  await first;
  expect([survey.held.size, survey.isPatienceOver]).toEqual([0, false]);
  await survey.askPatiently([us]);
  expect(survey.held.get(us)?.vector).toEqual(past);
});

test('nobody is asked, or waited for, once the survey ends', async () => {
  const timer = new ManualTimer();
  const end = new AbortController();
  const donors = {
    ask: (_peer: RegionId, _request: unknown, limit?: AbortSignal): Promise<TransferAnswer> =>
      new Promise((_resolve, reject) => {
        const unavailable = new ReplicationError('peer-unavailable', 'no answer', { retriable: true });
        limit?.addEventListener('abort', () => reject(unavailable));
      }),
  };
  const survey = new PastSurvey({ self, donors, timer, signal: end.signal });
  const asked = survey.ask([us]);
  end.abort();
  await asked;
  expect(survey.held.size).toBe(0);
});
