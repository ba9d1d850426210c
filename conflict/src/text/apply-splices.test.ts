import fc from 'fast-check';
import { applyUpdate, Doc, encodeStateAsUpdate, encodeStateVector, Item, type Text } from 'yjs';
import { expect, test, vi } from 'vitest';
import type { Splice } from '../types/text.ts';
import { applySplices } from './apply-splices.ts';

/** What the splices come to where nobody walks: each for itself, the last one first, so that positions hold. */
function oneByOne(text: Text, splices: readonly Splice[]): void {
  for (const { at, delete: count = 0, insert = '' } of splices.toReversed()) {
    if (count > 0) text.delete(at, count);
    if (insert !== '') text.insert(at, insert);
  }
}

function onString(text: string, splices: readonly Splice[]): string {
  return splices.reduceRight(
    (all, { at, delete: count = 0, insert = '' }) => all.slice(0, at) + insert + all.slice(at + count),
    text,
  );
}

function docOf(...updates: readonly Uint8Array[]): Doc {
  const doc = new Doc({ guid: '', gc: true });
  for (const update of updates) applyUpdate(doc, update);
  return doc;
}

function textOf(...updates: readonly Uint8Array[]): string {
  return docOf(...updates)
    .getText('t')
    .toJSON();
}

type Way = typeof applySplices;

/** What a writer adds to the base. */
function updateOf(
  base: Uint8Array,
  client: number,
  { way, splices }: { way: Way; splices: readonly Splice[] },
) {
  const doc = docOf(base);
  doc.clientID = client;
  const before = encodeStateVector(doc);
  doc.transact(() => way(doc.getText('t'), splices));
  return encodeStateAsUpdate(doc, before);
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'ü', '\n', '😀'), maxLength: 3 });
const pieces = fc.array(fc.record({ skip: fc.nat({ max: 3 }), cut: fc.nat({ max: 3 }), insert: word }), {
  maxLength: 12,
});
type Pieces = readonly { readonly skip: number; readonly cut: number; readonly insert: string }[];

/** Ascending splices, many of which touch; whole characters only. The leading one may stand far into the text. */
function splicesOf(text: string, from: number, wanted: Pieces): readonly Splice[] {
  const characters = Array.from(text);
  const unitsOf = (start: number, end: number) => characters.slice(start, end).join('').length;
  let place = Math.floor(from * (characters.length + 1));
  return wanted.map(({ skip, cut, insert }) => {
    const start = Math.min(place + skip, characters.length);
    place = Math.min(start + cut, characters.length);
    return { at: unitsOf(0, start), delete: unitsOf(start, place), insert };
  });
}

const edit = fc.record({ from: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), pieces });
const clients = fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 31 }), { minLength: 4, maxLength: 4 });

/** A text with a past: several writers, deletions. */
function baseOf(numbers: readonly number[], past: readonly { from: number; pieces: Pieces }[]): Uint8Array {
  let base = encodeStateAsUpdate(docOf());
  for (const [index, { from, pieces: wanted }] of past.entries()) {
    const splices = splicesOf(textOf(base), from, wanted);
    const client = numbers[index % numbers.length] ?? 1;
    base = encodeStateAsUpdate(docOf(base, updateOf(base, client, { way: oneByOne, splices })));
  }
  return base;
}

test('all at once says what one by one says, on a string and on Yjs, alone and beside what others write', () => {
  let touching = 0;
  fc.assert(
    fc.property(
      clients,
      fc.array(edit, { maxLength: 6 }),
      fc.tuple(edit, edit, edit),
      (numbers, past, [own, second, third]) => {
        const base = baseOf(numbers, past);
        const before = textOf(base);
        const [client = 1, secondClient = 2, thirdClient = 3] = numbers;
        const splices = splicesOf(before, own.from, own.pieces);
        touching += splices.some(({ at }, index) => splices[index + 1]?.at === at) ? 1 : 0;
        const made = updateOf(base, client, { way: applySplices, splices });
        const known = updateOf(base, client, { way: oneByOne, splices });
        expect(textOf(base, made)).toBe(onString(before, splices));

        const others = [
          { number: secondClient, by: second },
          { number: thirdClient, by: third },
        ].map(({ number, by }) =>
          updateOf(base, number, { way: applySplices, splices: splicesOf(before, by.from, by.pieces) }),
        );
        const [left = base, right = base] = others;
        const met = textOf(base, made, left, right);
        expect(met).toBe(textOf(base, known, left, right));
        for (const order of [
          [right, made, left],
          [left, right, made],
          [left, made, right],
        ]) {
          expect(textOf(base, ...order)).toBe(met);
        }
        expect(textOf(base, made, left)).toBe(textOf(base, known, left));
      },
    ),
    { numRuns: 300 },
  );
  expect(touching).toBeGreaterThan(50);
});

test('a single splice is the same bytes as it always was', () => {
  const one = fc.record({ skip: fc.nat({ max: 3 }), cut: fc.nat({ max: 3 }), insert: word });
  fc.assert(
    fc.property(
      clients,
      fc.array(edit, { maxLength: 6 }),
      fc.tuple(edit, one),
      (numbers, past, [own, piece]) => {
        const base = baseOf(numbers, past);
        const splices = splicesOf(textOf(base), own.from, [piece]);
        const [client = 1] = numbers;
        const made = updateOf(base, client, { way: applySplices, splices });
        expect(made).toEqual(updateOf(base, client, { way: oneByOne, splices }));
      },
    ),
    { numRuns: 200 },
  );
});

/** How often one edit asks a piece of the text whether it is deleted, which it asks of each that it passes. */
function looksOf(size: number): number {
  const doc = docOf();
  const text = doc.getText('t');
  text.insert(0, 'abc'.repeat(size));
  // Pieces of one writer and in the order in which they were written: Yjs does not begin a walk in the middle of them.
  const splicesBy = (step: number) =>
    Array.from({ length: size }, (_, index) => ({ at: step * index, delete: 1 }));
  applySplices(text, splicesBy(3));
  const deleted = vi.spyOn(Item.prototype, 'deleted', 'get');
  applySplices(text, splicesBy(2));
  const looks = deleted.mock.calls.length;
  deleted.mockRestore();
  return looks;
}

test('twice the splices on a text of twice as many pieces do twice the work', () => {
  const looks = looksOf(200);
  expect(looks).toBeGreaterThan(200);
  expect(looksOf(400)).toBeLessThan(2.1 * looks);
});
