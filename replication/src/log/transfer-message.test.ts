import { describe, expect, it } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import type { TransferAnswer, TransferRequest } from '../ports/transfer-peer.ts';
import {
  decodeAnswer,
  decodeRequest,
  encodeAnswer,
  encodeRequest,
  maxTransferBytes,
} from './transfer-message.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const incarnation = { counter: 1, nonce: 0xffff_ffff };
const id = (key: string) => ({ collection: 'products', key });
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const vector = [{ region: eu, incarnation, partition: 3, lsn: 2n ** 63n }];

const requests: readonly TransferRequest[] = [
  { kind: 'open' },
  { kind: 'ranges', snapshot: 's', after: id('é😀') },
  { kind: 'fetch', snapshot: 's', range: { after: id(''), until: id('b') }, have: [bytes(1), bytes()] },
  { kind: 'states', snapshot: 's', ids: [id('a'), id('b')] },
  { kind: 'close', snapshot: 's' },
];

const offer = {
  region: eu,
  incarnation,
  snapshot: 's',
  vector,
  beats: [
    { region: eu, incarnation, beat: { number: 3, lsn: 5n, atMs: 1.5, count: null, end: 7n } },
    { region: eu, incarnation, beat: { number: 4, lsn: 8n, atMs: 2.5, count: 0, end: 2n ** 63n } },
  ],
  ahead: [],
  whole: [{ region: eu, before: 3 }],
  horizon: vector,
  floorMs: 7000,
  mayBeEmptied: true,
  beatAgeMs: 0.5,
};

const answers: readonly TransferAnswer[] = [
  { kind: 'offer', offer: { ...offer, slot: { number: 2, from: 9n } } },
  { kind: 'offer', offer: { ...offer, slot: null } },
  { kind: 'ranges', ranges: [{ until: id('b'), digest: bytes(7, 8), records: 512 }] },
  {
    kind: 'records',
    fetched: { records: [{ ...id('a'), state: bytes(1, 2) }], through: id('a'), lacking: [0, 4] },
  },
  { kind: 'states', states: [bytes(), bytes(3)] },
  { kind: 'closed' },
  { kind: 'refused', refusal: 'below-slot', detail: 'too low' },
];

describe('messages of a transfer', () => {
  it('say what was said', () => {
    for (const request of requests) expect(decodeRequest(encodeRequest(request))).toEqual(request);
    for (const answer of answers) expect(decodeAnswer(encodeAnswer(answer))).toEqual(answer);
  });

  it('name no record that no database can hold', () => {
    for (const after of [id('a\0b'), { collection: 'a\0b', key: '' }])
      expect(() => decodeRequest(encodeRequest({ kind: 'ranges', snapshot: 's', after }))).toThrow(
        expect.objectContaining({ code: 'malformed-record' }),
      );
  });

  it('are refused with any bit flipped and at any length but their own', () => {
    for (const answer of answers) {
      const good = encodeAnswer(answer);
      for (let bit = 0; bit < good.length * 8; bit++) {
        const flipped = good.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(() => decodeAnswer(flipped)).toThrow(expect.objectContaining({ code: 'malformed-record' }));
      }
      for (let length = 0; length < good.length; length++)
        expect(() => decodeAnswer(good.subarray(0, length))).toThrow(/transfer message|bytes/);
    }
  });

  it('are read up to a bound and no further', () => {
    const long = new Uint8Array(maxTransferBytes + 1);
    expect(() => decodeRequest(long)).toThrow(`at most ${maxTransferBytes}`);
  });
});
