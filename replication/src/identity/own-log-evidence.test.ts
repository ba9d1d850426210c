import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { decodeClaim } from '../log/claim-record.ts';
import { parseRegionId } from '../ports/identity.ts';
import { OwnLogEvidence } from './own-log-evidence.ts';
import { renewIncarnation } from './renewal.ts';

const [eu, us, ap] = ['eu', 'us', 'ap'].map((name) => parseRegionId(name) ?? expect.fail('a region'));

const notAsked = (): never => expect.fail('nothing else is asked');

test('P9: whose log with all its claims is gone takes an incarnation above those that peers know', async () => {
  const self = { region: eu ?? expect.fail(), incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 };
  const evidence = new OwnLogEvidence({
    self,
    peers: [us ?? expect.fail(), ap ?? expect.fail()],
    memory: {
      rememberedBy: async (peer) =>
        peer === us ? { incarnation: { counter: 3, nonce: 9 }, number: 40, made: null, applied: null } : null,
    },
    timer: new ManualTimer(),
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
    log: {
      newestProgress: async () => null,
      spans: notAsked,
      subscribe: notAsked,
      tail: notAsked,
      claims: notAsked,
    },
    past: { standing: 'same', newestBeat: notAsked, beats: notAsked, claim: notAsked },
    records: { read: notAsked, positions: notAsked },
    prepareLog: notAsked,
  });
  const claims: Uint8Array[] = [];
  const adopted: number[] = [];
  const outcome = await renewIncarnation({
    self,
    evidence,
    control: {
      read: async () => claims,
      append: async (bytes) => void claims.push(bytes),
      close: async () => undefined,
    },
    isAlone: async () => true,
    newNonce: () => 4242,
    signal: new AbortController().signal,
    past: {
      continuity: async () => ({ kind: 'same' }),
      claim: async () => null,
      noteClaim: async (claim) => claim,
      adopt: async ({ claim }) => void adopted.push(claim.counter),
      hold: async () => undefined,
    },
  });
  expect(outcome.kind).toBe('taken');
  expect(adopted).toEqual([4]);
  expect(claims.map((bytes) => decodeClaim(bytes).incarnation.counter)).toEqual([4]);
});
