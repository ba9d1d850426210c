/** What the guard does with what it hears (P1): a word against the region is not lost because its database is away. */
import { expect, test } from 'vitest';
import { ManualTimer } from '../adapters/memory/manual-timer.ts';
import { ReplicationError } from '../errors.ts';
import type { Continuity } from '../ports/identity-store.ts';
import { parseRegionId } from '../ports/identity.ts';
import { IdentityGuard } from './identity-guard.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const silent = { debug() {}, info() {}, warn() {}, error() {} };

test('what is heard while the database does not answer holds the region as soon as it does', async () => {
  const timer = new ManualTimer();
  const held: string[] = [];
  let answers = false;
  const answer = <Value>(value: Value): Promise<Value> => {
    const away = new ReplicationError('database-unavailable', 'its connections were cut', {
      retriable: true,
    });
    return answers ? Promise.resolve(value) : Promise.reject(away);
  };
  let tell = async (_reason: string): Promise<void> => expect.fail('nobody listens yet');
  const same: Continuity = { kind: 'same' };
  const guard = new IdentityGuard({
    self: { region, incarnation: { counter: 1, nonce: 7 }, partitionCount: 1 },
    past: {
      get standing() {
        return held.length > 0 ? 'broken' : 'same';
      },
      continuity: () => answer(same),
      newestBeat: () => answer({ beat: null, hasPublished: false }),
      beats: () => answer([]),
      prove: () => answer(undefined),
      hold: async (reason) => {
        await answer(undefined);
        held.push(reason);
      },
      accept: () => answer(undefined),
      claim: () => answer(null),
      noteClaim: (claim) => answer(claim),
      adopt: () => answer(undefined),
    },
    evidence: {
      start: (onForeign) => {
        tell = onForeign;
      },
      stop: async () => {},
      prepare: async () => {},
      compare: async () => ({ kind: 'continues', readRecords: 0 }),
      isAlone: async () => true,
      highestCounter: async () => 0,
      newestProgress: async () => null,
    },
    control: { append: async () => {}, read: async () => [], close: async () => {} },
    newNonce: () => 1,
    timer,
    logger: silent,
    onRefused: () => {},
  });
  guard.start();
  const told = tell('another database writes as eu');
  await timer.advance(5_000);
  expect(held).toEqual([]);
  answers = true;
  await timer.advance(30_000);
  await told;
  expect(held).toEqual(['another database writes as eu']);
  expect(guard.state).toEqual({ kind: 'refused', reason: 'another database writes as eu' });
  await guard.stop();
});
