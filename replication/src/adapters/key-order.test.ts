import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareNames, endOfPrefix, orderOf, requireStorable } from './key-order.ts';

const point = fc.oneof(
  fc.constantFrom('a', 'é', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}'),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
);
const name = fc.array(point, { maxLength: 4 }).map((points) => points.join(''));

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

describe('the order of names', () => {
  it('is that of their UTF-8 bytes', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        expect(Math.sign(compareNames(a, b))).toBe(byBytes(a, b));
      }),
    );
  });

  it('is the same over many, with and without surrogates among them', () => {
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (names) => {
        expect(names.toSorted(orderOf(names))).toEqual(names.toSorted(byBytes));
      }),
    );
  });

  it('puts exactly the names with a prefix between it and its end', () => {
    fc.assert(
      fc.property(name, name, fc.boolean(), (prefix, other, joined) => {
        const candidate = joined ? prefix + other : other;
        const end = endOfPrefix(prefix);
        const within = byBytes(prefix, candidate) <= 0 && (end === null || byBytes(candidate, end) < 0);
        expect(within).toBe(candidate.startsWith(prefix));
      }),
    );
  });

  it.each(['a\0', '\ud800', 'x\udc00y', '\udc00\ud800'])('refuses the name %j', (key) => {
    expect(() => requireStorable({ collection: 'c', key })).toThrow(/key holds/);
    expect(() => requireStorable({ collection: key, key: 'k' })).toThrow(/collection holds/);
  });

  it('accepts whole surrogate pairs', () => {
    requireStorable({ collection: 'c', key: '😀' });
  });
});
