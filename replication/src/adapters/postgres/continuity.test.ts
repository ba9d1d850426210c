import { describe, expect, it } from 'vitest';
import { judgeContinuity } from './continuity.ts';

const incarnation = { counter: 1, nonce: 7 };
const lineage = { systemIdentifier: '18446744073709551615', timeline: 1, postmasterStart: '1763900000.5' };
const stored = { incarnation, lineage, held: null, isClosedToWrites: false, isDrained: false };

describe('continuity (P1)', () => {
  it('is the same on the server that the identity row was written on', () => {
    expect(judgeContinuity(incarnation, stored, { ...lineage })).toEqual({ kind: 'same' });
  });

  it.each([
    ['another start', { ...lineage, postmasterStart: '1763900009.25' }, false],
    ['another timeline', { ...lineage, timeline: 2 }, true],
  ])('is to be proven after %s', (_, found, isPromoted) => {
    const expected = { kind: 'unproven', isPromoted, lineage: found };
    expect(judgeContinuity(incarnation, stored, found)).toEqual(expected);
  });

  it('is broken while something holds it, whatever the server says', () => {
    const held = { ...stored, held: 'another database writes in our name' };
    expect(judgeContinuity(incarnation, held, lineage)).toEqual({
      kind: 'broken',
      isHeld: true,
      reason: held.held,
    });
  });

  it('is broken by another system, and by nobody who holds it', () => {
    const found = { ...lineage, systemIdentifier: '1' };
    expect(judgeContinuity(incarnation, stored, found)).toEqual({
      kind: 'broken',
      isHeld: false,
      reason: expect.stringMatching(/system identifier 1,/),
    });
  });

  it.each([
    ['another counter', { counter: 2, nonce: 7 }, /incarnation 1\.00000007,/],
    ['another nonce', { counter: 1, nonce: 8 }, /expected 1\.00000008/],
  ])('is that of another incarnation by %s, whether or not it is held (P9)', (_, expected, reason) => {
    const renewed = { kind: 'renewed', reason: expect.stringMatching(reason) };
    expect(judgeContinuity(expected, stored, lineage)).toEqual(renewed);
    expect(judgeContinuity(expected, { ...stored, held: 'somebody' }, lineage)).toEqual(renewed);
  });
});
