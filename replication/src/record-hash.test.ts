import { liveHash, register, schema } from '@isthmus/conflict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareIds, recordHash } from './record-hash.ts';

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

test('records that show the same and have not seen the same are different ones', () => {
  const product = schema({ title: register(), note: register() });
  const by = (actor: string) => ({ actor, now: 1_700_000_000_000 });
  const { state: seen } = product.edit(new Uint8Array(0), by('eu'), (editor) => editor.set('title', 'a'));
  const { state: noted } = product.edit(seen, by('us'), (editor) => editor.set('note', 'x'));
  const { state: cleared } = product.edit(noted, by('us'), (editor) => editor.clear('note'));
  const record = { collection: 'products', key: 'k' };
  expect(liveHash(cleared, 'k')).toEqual(liveHash(seen, 'k'));
  expect(recordHash({ ...record, state: cleared })).not.toEqual(recordHash({ ...record, state: seen }));
});
