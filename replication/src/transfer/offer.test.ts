import { describe, expect, it } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import type { Standing } from '../ports/transfer-store.ts';
import { judgeOffer } from './offer.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 1 };
const self = { region: eu, incarnation, partitionCount: 2 };
const ofUs = (partition: number, lsn: bigint) => ({ region: us, incarnation, partition, lsn });
const ofEu = (partition: number, lsn: bigint) => ({ region: eu, incarnation, partition, lsn });

const passed = { number: 4, lsn: 60n, atMs: 750, count: 2, end: 70n };
const published = { through: 100n, passed };
const ofOthers = { region: us, incarnation, beat: { ...passed, end: 5n } };

const standing: Standing = {
  settled: [ofUs(0, 5n), ofUs(1, 6n)],
  applied: [ofUs(0, 7n), ofUs(1, 6n)],
  ahead: [ofUs(1, 9n)],
  whole: [],
  horizon: [],
  floorMs: 7000,
  insertLsn: 100n,
  beat: { lsn: 80n, atMs: 1000 },
  beats: [ofOthers],
  slot: { number: 1, from: 10n },
  isEmpty: false,
  refill: 'none',
  readAtMs: 1200,
};

describe('a donor', () => {
  it('speaks for what is settled, and for its own changes up to its oldest sure beat', () => {
    const judgement = judgeOffer(self, standing, published);
    expect(judgement).toEqual({
      kind: 'serve',
      offer: {
        region: eu,
        incarnation,
        vector: [ofUs(0, 5n), ofUs(1, 6n), ofEu(0, 80n), ofEu(1, 80n)],
        beats: [ofOthers, { region: eu, incarnation, beat: passed }],
        ahead: [ofUs(0, 7n), ofUs(1, 9n), ofEu(0, 100n), ofEu(1, 100n)],
        whole: [],
        horizon: [],
        floorMs: 7000,
        slot: { number: 1, from: 10n },
        mayBeEmptied: false,
        beatAgeMs: 200,
      },
    });
  });

  it('does not serve what its relay has not published (P6)', () => {
    expect(judgeOffer(self, standing, { ...published, through: 99n })).toEqual({ kind: 'wait' });
    expect(judgeOffer(self, standing, null)).toEqual({ kind: 'wait' });
  });

  it('does not serve below the beginning of its slot, where the same gap would come again (P6)', () => {
    const judgement = judgeOffer(self, { ...standing, slot: { number: 2, from: 81n } }, published);
    expect(judgement).toMatchObject({ kind: 'refuse', refusal: 'below-slot' });
    expect(judgeOffer(self, { ...standing, slot: { number: 2, from: 80n } }, published).kind).toBe('serve');
  });

  it('does not serve what was emptied and is not filled, which would count as the past of its region (P9)', () => {
    const emptied = { ...standing, refill: 'emptied' as const };
    expect(judgeOffer(self, emptied, published)).toMatchObject({ kind: 'refuse', refusal: 'filled-anew' });
  });

  it('serves while it is to be filled anew, and says that it may be emptied (P6)', () => {
    const judgement = judgeOffer(self, { ...standing, refill: 'securing' }, published);
    expect(judgement).toMatchObject({ kind: 'serve', offer: { mayBeEmptied: true } });
  });

  it('does not serve without a beat that is older than every open transaction', () => {
    expect(judgeOffer(self, { ...standing, beat: null }, published)).toMatchObject({ refusal: 'no-beat' });
  });
});
