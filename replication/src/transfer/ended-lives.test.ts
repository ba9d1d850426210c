/** Only of lives that are over, and only what is missing, is anything fetched from whoever holds it (P6, P9). */
import { expect, test } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import { endedBeyond } from './ended-lives.ts';

const region = (name: string) => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us] = [region('eu'), region('us')];
const self = { region: eu, incarnation: { counter: 2, nonce: 9 }, partitionCount: 2 };

const at = (of: typeof eu, counter: number, lsn: bigint, partition = 0) => ({
  region: of,
  incarnation: { counter, nonce: 7 },
  partition,
  lsn,
});

test('what a peer has more of an own earlier life is missing here, partition by partition', () => {
  const applied = [at(eu, 1, 40n), at(eu, 1, 40n, 1)];
  const offered = [at(eu, 1, 50n), at(eu, 1, 40n, 1), at(eu, 2, 90n)];
  expect(endedBeyond({ self, applied, offered })).toEqual([at(eu, 1, 50n)]);
});

test('so it is with another region once the start of its next life was read here', () => {
  const offered = [at(us, 1, 50n), at(us, 1, 50n, 1)];
  const applied = [at(us, 1, 40n), at(us, 1, 40n, 1), at(us, 2, 60n)];
  expect(endedBeyond({ self, applied, offered })).toEqual([at(us, 1, 50n)]);
});

test('what is only late comes by itself', () => {
  const offered = [at(us, 1, 50n), at(us, 2, 60n)];
  expect(endedBeyond({ self, applied: [at(us, 1, 40n)], offered })).toEqual([]);
  expect(endedBeyond({ self, applied: [], offered })).toEqual([]);
});
