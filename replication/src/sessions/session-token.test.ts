/** Whatever a session has seen, the token of it is one that every region takes, and leaves out as little as can be (P5, I12). */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../bytes.ts';
import { parseRegionId } from '../ports/identity.ts';
import type { Vector, VectorEntry } from '../ports/vector.ts';
import { lacking, placeOf } from '../vector.ts';
import type { Session } from './session.ts';
import { decodeSession, encodeSession } from './session-token.ts';

const key = Buffer.from('a key for tests alone');
const issuer = { region: regionOf('eu'), incarnation: { counter: 1, nonce: 7 } };

function regionOf(name: string) {
  return parseRegionId(name) ?? expect.fail(`${name} is a region`);
}

interface Shape {
  readonly regions: number;
  readonly lives: number;
  readonly partitions: number;
}

/** `lsnOf` of the place of each entry among all. */
function seen({ regions, lives, partitions }: Shape, lsnOf: (place: number) => bigint): Vector {
  const vector: VectorEntry[] = [];
  for (let of = 0; of < regions; of++) {
    const region = regionOf(`region-${of}`);
    for (let counter = 1; counter <= lives; counter++)
      for (let partition = 0; partition < partitions; partition++) {
        const incarnation = { counter, nonce: 0xffff_0000 + counter };
        vector.push({ region, incarnation, partition, lsn: lsnOf(vector.length) });
      }
  }
  return vector;
}

/** No two of them alike, and far from one another as in a busy database. */
const scattered = (place: number): bigint => 2n ** 40n + ((BigInt(place) * 0x9e37_79b1n) & 0xfff_ffffn);
const level = (): bigint => 2n ** 40n + 5n;

/** As every region of the version reads it. */
function handedOut(session: Session): Session {
  const token = encodeSession(session, key);
  expect(token.length).toBeLessThanOrEqual(8192);
  return decodeSession(token, key);
}

const sorted = (vector: Vector): Vector => vector.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
const countersOf = (vector: Vector): readonly number[] => [
  ...new Set(vector.map(({ incarnation }) => incarnation.counter)),
];

describe('a token says all that was seen', () => {
  test.each<[Shape, (place: number) => bigint]>([
    [{ regions: 3, lives: 23, partitions: 8 }, scattered],
    [{ regions: 3, lives: 100, partitions: 8 }, level],
    [{ regions: 3, lives: 1, partitions: 256 }, scattered],
    [{ regions: 2, lives: 1, partitions: 1024 }, level],
    [{ regions: 1, lives: 1, partitions: 512 }, scattered],
  ])('of %o', (shape, lsnOf) => {
    const vector = seen(shape, lsnOf);
    expect(handedOut({ issuer, vector, ahead: [] })).toEqual({ issuer, vector, ahead: [] });
  });

  test('in any order, with partitions left out, up to the last place', () => {
    const entry = fc.record({
      region: fc.constantFrom('eu', 'us').map(regionOf),
      incarnation: fc.constantFrom(
        { counter: 1, nonce: 1 },
        { counter: 1, nonce: 2 },
        { counter: 2 ** 32 - 1, nonce: 0 },
      ),
      partition: fc.oneof(fc.nat({ max: 5 }), fc.nat({ max: 1023 })),
      lsn: fc.oneof(fc.bigInt({ min: 0n, max: 9n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
    });
    const vector = fc.uniqueArray(entry, { selector: placeOf, maxLength: 40 });
    fc.assert(
      fc.property(vector, vector, (of, ahead) => {
        const back = handedOut({ issuer, vector: of, ahead });
        expect([sorted(back.vector), sorted(back.ahead)]).toEqual([sorted(of), sorted(ahead)]);
      }),
    );
  });
});

describe('what does not fit', () => {
  test.each([scattered, level])('are the oldest lives of each region, and no others', (lsnOf) => {
    const shape = { regions: 3, lives: 1000, partitions: 8 };
    const vector = seen(shape, lsnOf);
    const kept = handedOut({ issuer, vector, ahead: [] }).vector;
    const counters = countersOf(kept);
    const oldest = Math.min(...counters);
    expect(counters.length).toBeGreaterThan(30);
    expect(counters).toHaveLength(1001 - oldest);
    expect(sorted(kept)).toEqual(sorted(vector.filter(({ incarnation }) => incarnation.counter >= oldest)));
    // With one life more nothing else comes out, so there was no room for it.
    const more = vector.filter(({ incarnation }) => incarnation.counter >= oldest - 1);
    expect(countersOf(handedOut({ issuer, vector: more, ahead: [] }).vector)).toEqual(counters);
  });

  test('is what is beyond the bound of partitions, although runs of them are short', () => {
    const vector = seen({ regions: 3, lives: 4, partitions: 1024 }, level);
    expect(countersOf(handedOut({ issuer, vector, ahead: [] }).vector)).toEqual([4, 3]);
    expect(countersOf(handedOut({ issuer, vector, ahead: vector }).vector)).toEqual([4]);
  });

  test('begins behind the last byte of a token', () => {
    const full = seen({ regions: 1, lives: 1, partitions: 994 }, scattered);
    // Each letter more of the name is a byte more, from below the bound to beyond it.
    const isWhole = Array.from({ length: 32 }, (_, letters) => {
      const vector = full.map((entry) => ({ ...entry, region: regionOf('r'.repeat(letters + 1)) }));
      return handedOut({ issuer, vector, ahead: [] }).vector.every(({ lsn }, at) => lsn === vector[at]?.lsn);
    });
    expect(isWhole.indexOf(false)).toBeGreaterThan(0);
    expect(isWhole.lastIndexOf(true)).toBe(isWhole.indexOf(false) - 1);
  });

  test('is not left out of present lives: they are asked for in all partitions as far as in the furthest', () => {
    const shape = { regions: 2, lives: 3, partitions: 1024 };
    const vector = seen(shape, scattered);
    const present = vector.filter(({ incarnation }) => incarnation.counter === 3);
    const kept = handedOut({ issuer, vector, ahead: vector }).vector;
    expect(kept.map(placeOf).toSorted()).toEqual(present.map(placeOf).toSorted());
    expect(lacking(kept, present)).toBeNull();
    const furthest = (of: Vector, region: string) =>
      of.reduce((most, entry) => (entry.region === region && entry.lsn > most ? entry.lsn : most), 0n);
    for (const { region, lsn } of kept) expect(lsn).toBe(furthest(present, region));
  });

  test('is refused where there are more regions than any installation has', () => {
    const vector = seen({ regions: 500, lives: 1, partitions: 8 }, scattered);
    expect(() => encodeSession({ issuer, vector, ahead: [] }, key)).toThrow(
      expect.objectContaining({ code: 'session-too-large', message: expect.stringContaining('500 regions') }),
    );
  });
});

describe('a token that nobody of us makes', () => {
  function forged(write: (writer: ByteWriter) => void): string {
    const writer = new ByteWriter();
    writer.u8(2);
    writeOwner(writer);
    write(writer);
    const code = createHmac('sha256', key).update('isthmus session').update(writer.view()).digest();
    writer.raw(code.subarray(0, 16));
    return writer.finish().toString('base64url');
  }
  function writeOwner(writer: ByteWriter): void {
    writer.string('eu');
    writer.u32(1);
    writer.u32(7);
  }
  /** Lives of one run each, which names so many partitions beside its first. */
  function writeRuns(writer: ByteWriter, skipped: number, lives: readonly number[]): void {
    writer.varint(1);
    writer.string('eu');
    writer.varint(lives.length);
    for (const [life, more] of lives.entries()) {
      writer.u32(life + 1);
      writer.u32(7);
      for (const part of [1, skipped, more, 1]) writer.varint(part);
    }
  }
  function runs(skipped: number, lives: readonly number[], ahead: readonly number[] = []): string {
    return forged((writer) => {
      writeRuns(writer, skipped, lives);
      writeRuns(writer, 0, ahead);
    });
  }

  test('takes no more room in memory than one of ours', () => {
    const most = Array.from({ length: 8 }, () => 1023);
    expect(decodeSession(runs(0, most), key).vector).toHaveLength(8192);
    expect(() => decodeSession(runs(0, [...most, 0]), key)).toThrow(/over 8192 partitions/);
    expect(() => decodeSession(runs(0, most, [0]), key)).toThrow(/over 8192 partitions/);
  });

  test('names no partition that cannot be', () => {
    expect(decodeSession(runs(1023, [0]), key).vector).toMatchObject([{ partition: 1023 }]);
    expect(() => decodeSession(runs(1024, [0]), key)).toThrow(/session's partition is 1024/);
    expect(() => decodeSession(runs(1023, [1]), key)).toThrow(/session's partitions is 1/);
    expect(() => decodeSession(runs(0, [1024]), key)).toThrow(/session's partitions is 1024/);
  });
});
