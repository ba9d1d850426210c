/** What would be lost if the records here were dropped, and from whom they are best taken again (P6). */
import { describe, expect, test } from 'vitest';
import { type Incarnation, parseRegionId } from '../ports/identity.ts';
import type { Vector } from '../ports/vector.ts';
import { actorsIn, judgeRefill, type RefillView } from './judge-refill.ts';

const named = (name: string) => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us, ap] = [named('eu'), named('us'), named('ap')];
const first: Incarnation = { counter: 1, nonce: 7 };
const second: Incarnation = { counter: 2, nonce: 8 };
const self = { region: eu, incarnation: second, partitionCount: 2 };

const at = (region: typeof eu, lsn: bigint, incarnation = first, partition = 0) => ({
  region,
  incarnation,
  partition,
  lsn,
});
const own = (lsn: bigint): Vector => [at(eu, lsn, second, 0), at(eu, lsn, second, 1)];
const beat = { region: eu, incarnation: second, beat: { number: 3, lsn: 1n, end: 2n, atMs: 0, count: 0 } };
const offer = (region: typeof eu, vector: Vector, incarnation = first) => ({
  region,
  incarnation,
  vector,
  beats: [beat],
  whole: [],
});
const slot = { number: 1, from: 30n };

const standingAt = (settled: Vector, more: Partial<RefillView['standing']> = {}) => {
  return { settled, applied: settled, ahead: [], isEmpty: false, slot, ...more };
};

const judge = (of: Partial<RefillView> & { readonly settled?: Vector }) =>
  judgeRefill({
    self,
    standing: standingAt(of.settled ?? []),
    pasts: [],
    ownThrough: 50n,
    offers: [],
    ...of,
  });

test('everything that some peer holds is safe, and the one that holds most gives it', () => {
  const settled = [at(eu, 20n), at(us, 30n), at(ap, 40n)];
  const judged = judge({
    settled,
    offers: [offer(us, [...own(50n), at(eu, 19n)]), offer(ap, [...own(60n), at(eu, 20n), at(us, 30n)])],
  });
  expect(judged).toMatchObject({ loss: [], donor: ap });
});

test('own writes that no peer holds would be lost, each partition for itself', () => {
  const { loss } = judge({ offers: [offer(us, [at(eu, 50n, second, 0), at(eu, 49n, second, 1)])] });
  expect(loss).toEqual([at(eu, 50n, second, 1)]);
  expect(actorsIn(loss)).toEqual(['eu.2.00000008']);
});

test('what an earlier life wrote, or a region that does not answer, counts like any other', () => {
  const settled = [at(eu, 20n), at(ap, 40n)];
  const { loss } = judge({ settled, offers: [offer(us, [...own(50n), at(ap, 39n)])] });
  expect(actorsIn(loss)).toEqual(['eu.1.00000007', 'ap.1.00000007']);
});

test('an origin that answers has its own writes, and not those of a life that it does not live', () => {
  const settled = [at(us, 90n), at(us, 30n, second)];
  expect(judge({ settled, offers: [offer(us, own(50n))] }).loss).toEqual([at(us, 30n, second)]);
});

test('an empty database has nothing to lose, and nobody who answers is no donor', () => {
  expect(judge({ standing: standingAt([at(us, 90n)], { isEmpty: true }) })).toEqual({
    loss: [],
    held: [],
    donor: null,
  });
});

test('where nobody answers, everything would be lost', () => {
  expect(actorsIn(judge({ settled: [at(us, 1n)] }).loss)).toEqual(['us.1.00000007', 'eu.2.00000008']);
});

// P6, I5: ap's change at 10 lies aside here, those up to 100 are in the records; ap is gone, and us has come to 9.
test.each([
  ['the change and what was applied behind it', standingAt([at(ap, 9n)], { applied: [at(ap, 100n)] })],
  ['the change, where no record is stored', standingAt([], { applied: [at(ap, 10n)], isEmpty: true })],
])('what lies behind a change that was put aside would be lost: %s', (_what, standing) => {
  const offers = [offer(us, [...own(50n), at(ap, 9n)])];
  expect(actorsIn(judge({ standing, offers }).loss)).toEqual(['ap.1.00000007']);
  const all = [offer(us, [...own(50n), at(ap, 100n)])];
  expect(judge({ standing, offers: all }).loss).toEqual([]);
});

test('what a transfer may have brought would be lost, and of the own life only what it wrote', () => {
  const standing = standingAt([at(ap, 9n)], { ahead: [at(ap, 40n), ...own(70n)] });
  const offers = [offer(us, [...own(50n), at(ap, 39n)])];
  expect(judge({ standing, offers }).loss).toEqual([at(ap, 40n)]);
});

describe('what the own life before had not published is in the records, and behind every position (I5)', () => {
  const pasts = [{ incarnation: first, through: 12n }];
  const before = (lsn: bigint): Vector => [at(eu, lsn, first, 0), at(eu, lsn, first, 1)];
  const uncounted = (vector: Vector) => ({ ...offer(us, [...own(50n), ...vector]), beats: [] });
  const standing = standingAt([at(eu, 12n)]);

  test('it would be lost where no peer was given it', () => {
    const { loss } = judge({ standing, pasts, offers: [uncounted(before(29n))] });
    expect(loss).toEqual(before(30n));
  });

  test('who counts the present life was given it', () => {
    expect(judge({ standing, pasts, offers: [offer(us, [...own(50n), at(eu, 12n)])] }).loss).toEqual([]);
    const ofOther = { ...uncounted([]), beats: [{ ...beat, incarnation: first }] };
    expect(judge({ standing, pasts, offers: [ofOther] }).loss).toEqual(before(30n));
  });

  test('who has all that the life wrote to this log has it', () => {
    expect(judge({ standing, pasts, offers: [uncounted(before(30n))] }).loss).toEqual([]);
  });

  test.each([
    ['of which no slot is known', standingAt([at(eu, 12n)], { slot: null })],
    ['which is another', standingAt([at(eu, 12n)], { slot: { number: 1, from: 11n } })],
  ])('nobody has, where the log says nothing of it: %s', (_what, of) => {
    expect(actorsIn(judge({ standing: of, pasts, offers: [uncounted(before(90n))] }).loss)).toEqual([
      'eu.1.00000007',
    ]);
  });

  test('a past that is learnt, or that nobody names any more, may be here alone as well', () => {
    expect(judge({ standing, offers: [uncounted(before(29n))] }).loss).toEqual(before(30n));
    const nameless = judge({ standing: standingAt([]), offers: [uncounted([])] });
    expect(actorsIn(nameless.loss)).toEqual(['eu.2.00000008']);
  });

  test('a first life has none before', () => {
    const one = { region: eu, incarnation: first, partitionCount: 2 };
    expect(judge({ self: one, standing: standingAt([]), offers: [uncounted(before(50n))] }).loss).toEqual([]);
  });
});
