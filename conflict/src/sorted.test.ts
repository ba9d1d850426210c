/** Short and long lists come out as the engine would sort them, and equal items keep their order. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sorted } from './sorted.ts';

const items = fc.array(fc.record({ rank: fc.nat({ max: 8 }), name: fc.nat() }), { maxLength: 40 });

test('a list is sorted as the engine sorts it, whatever its length', () => {
  fc.assert(
    fc.property(items, (list) => {
      const compare = (a: { readonly rank: number }, b: { readonly rank: number }) => a.rank - b.rank;
      const given = [...list];
      expect(sorted(list, compare)).toEqual(list.toSorted(compare));
      expect(list).toEqual(given);
    }),
  );
});
