import { parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { formatDeadLetterId, parseDeadLetterId } from './dead-letter-id.ts';

const origin = parseRegionId('us') ?? expect.fail('us is a region');
const lowest = { origin, incarnation: { counter: 1, nonce: 0 }, partition: 0, lsn: 0n, index: -(2 ** 31) };
const highest = {
  origin,
  incarnation: { counter: 2 ** 32 - 1, nonce: 2 ** 32 - 1 },
  partition: 9_999,
  lsn: 2n ** 64n - 1n,
  index: 2 ** 31 - 1,
};

test('every place that the log can name has an id (P4)', () => {
  for (const place of [lowest, { ...lowest, index: 0 }, { ...lowest, index: 1_000_000_000 }, highest])
    expect(parseDeadLetterId(formatDeadLetterId(place))).toEqual(place);
});

test('what stands for no place is no id', () => {
  const places = [
    '',
    'us',
    'us.1.00000001.0.c',
    'us.1.00000001.0.c.-',
    'us.1.00000001.0.c.1.5',
    'US.1.00000001.0.c.1',
  ];
  const beyond = [2 ** 31, -(2 ** 31) - 1, 9_999_999_999].map((index) => `us.1.00000001.0.c.${index}`);
  for (const id of [...places, ...beyond]) expect(parseDeadLetterId(id)).toBeNull();
});
