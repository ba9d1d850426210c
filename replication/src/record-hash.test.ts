import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareIds } from './record-hash.ts';

const text = fc.string({
  unit: fc.constantFrom('a', 'b', '\u007f', '\u0080', 'ÿ', '\ud7ff', '\ue000', '\uffff', '😀', '𝒳'),
});

test('names sort by their UTF-8 bytes', () => {
  fc.assert(
    fc.property(text, text, (a, b) => {
      const order = compareIds({ collection: 'c', key: a }, { collection: 'c', key: b });
      expect(Math.sign(order)).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
    { numRuns: 2000 },
  );
});
