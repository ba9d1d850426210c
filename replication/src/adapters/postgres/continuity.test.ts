import { describe, expect, it } from 'vitest';
import { judgeContinuity } from './continuity.ts';

const incarnation = { counter: 1, nonce: 7 };
const lineage = { systemIdentifier: '18446744073709551615', timeline: 1, postmasterStart: '1763900000.5' };
const stored = { incarnation, lineage };

describe('continuity (P1)', () => {
  it('is the same on the server that the identity row was written on', () => {
    expect(judgeContinuity(incarnation, stored, { ...lineage })).toEqual({ kind: 'same' });
  });

  it('stands a restart', () => {
    const found = { ...lineage, postmasterStart: '1763900009.25' };
    expect(judgeContinuity(incarnation, stored, found)).toEqual({ kind: 'restarted' });
  });

  it.each([
    ['another system', incarnation, { ...lineage, systemIdentifier: '1' }, /system identifier 1,/],
    ['another timeline', incarnation, { ...lineage, timeline: 2 }, /timeline 2,/],
    ['another counter', { counter: 2, nonce: 7 }, lineage, /incarnation 1\.00000007,/],
    ['another nonce', { counter: 1, nonce: 8 }, lineage, /expected 1\.00000008/],
  ])('is broken by %s', (_, expected, found, reason) => {
    expect(judgeContinuity(expected, stored, found)).toEqual({
      kind: 'broken',
      reason: expect.stringMatching(reason),
    });
  });
});
