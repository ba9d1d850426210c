import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { decodeClaim } from '../log/claim-record.ts';
import { parseRegionId, type RegionId } from '../ports/identity.ts';
import { OwnLogEvidence, type OwnLogEvidenceOptions } from './own-log-evidence.ts';
import { renewIncarnation } from './renewal.ts';

const [eu, us, ap] = ['eu', 'us', 'ap'].map((name) => parseRegionId(name) ?? expect.fail('a region'));

test('P9: whose log with all its claims is gone takes an incarnation above those that peers know', async () => {
  const self = { region: eu ?? expect.fail(), incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 };
  const evidence = new OwnLogEvidence({
    self,
    peers: [us ?? expect.fail(), ap ?? expect.fail()],
    memory: {
      rememberedBy: async (peer: RegionId) =>
        peer === us ? { incarnation: { counter: 3, nonce: 9 }, number: 40, made: null, applied: null } : null,
    },
    timer: new ManualTimer(),
    log: { newestProgress: async () => null },
  } satisfies { readonly [K in keyof OwnLogEvidenceOptions]?: unknown } as unknown as OwnLogEvidenceOptions);
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
