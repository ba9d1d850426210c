import { expect, test } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import { type ClaimRecord, decodeClaim, encodeClaim } from './claim-record.ts';

const region = parseRegionId('eu') ?? expect.fail('eu is a region');
const claim: ClaimRecord = { region, incarnation: { counter: 4_294_967_295, nonce: 7 } };

test('a claim comes back as it was', () => {
  expect(decodeClaim(encodeClaim(claim))).toEqual(claim);
});

test('every damaged byte and every cut is refused', () => {
  const bytes = encodeClaim(claim);
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    expect(() => decodeClaim(flipped)).toThrow(/claim|checksum|control|version/);
    expect(() => decodeClaim(bytes.subarray(0, at))).toThrow(/claim|checksum/);
  }
});
