/**
 * What every pair of sealer and opener promises (P4): what was sealed is opened at its place and nowhere else, and
 * nothing that was changed in any byte, that bears no seal, or that another key or a key out of its time has sealed.
 */
import type { OutgoingRecord } from '@isthmus/replication/ports/change-sink';
import type { LogOpener, LogPlace, LogSealer } from '@isthmus/replication/ports/log-seal';
import { parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import { describe, expect, it } from 'vitest';

export interface SealBench {
  /** `key` counts from 0. */
  sealer(region: RegionId, key: number): LogSealer;
  /** Believes keys 0 and 1 of `eu` and key 0 of `us`; key 0 of `eu` until `expiryMs`, key 1 from `startMs` on. */
  opener(nowMs: number): LogOpener;
}

export const startMs = 1_000_000;
export const expiryMs = 2_000_000;
const bothMs = 1_500_000;

const region = (name: string): RegionId => parseRegionId(name) ?? expect.fail(`${name} is a region`);
const [eu, us] = [region('eu'), region('us')];
const place: LogPlace = { region: eu, topic: 'changes', partition: 2 };
const body = Buffer.from('what was said');

const recordsOf = (count: number): readonly OutgoingRecord[] =>
  Array.from({ length: count }, (_, partition) => ({ partition, bytes: Buffer.from(`of ${partition}`) }));

export function sealContract(name: string, bench: SealBench): void {
  const one = (of: RegionId = eu, key = 0): Uint8Array => {
    const [sealed] = bench.sealer(of, key).seal('changes', [{ partition: 2, bytes: body }]);
    return sealed?.bytes ?? expect.fail('one record is sealed');
  };
  const faultOf = (bytes: Uint8Array, at: LogPlace = place, nowMs = bothMs): string => {
    const opened = bench.opener(nowMs).open(at, bytes);
    return opened.kind === 'refused' ? opened.fault : opened.kind;
  };

  describe(`seals of ${name}`, () => {
    it('open what was sealed, alone or with others, in its order', () => {
      const opener = bench.opener(bothMs);
      for (const count of [0, 1, 2, 3, 5, 8, 9]) {
        const records = recordsOf(count);
        const sealed = bench.sealer(eu, 0).seal('progress', records);
        expect(sealed.map(({ partition }) => partition)).toEqual(records.map(({ partition }) => partition));
        for (const [index, { partition, bytes }] of sealed.entries()) {
          const opened = opener.open({ region: eu, topic: 'progress', partition }, bytes);
          expect(opened.kind === 'genuine' && Buffer.from(opened.body)).toEqual(records[index]?.bytes);
        }
      }
    });

    it('are the same for the same records', () => {
      const seal = () => bench.sealer(eu, 0).seal('changes', recordsOf(3));
      expect(seal()).toEqual(seal());
    });

    it('hold nothing that was changed in any bit, cut or lengthened, also after the true one was opened', () => {
      for (const count of [1, 3]) {
        const records = recordsOf(count).map(({ bytes }) => ({ partition: 2, bytes }));
        const sealed = bench.sealer(eu, 0).seal('changes', records).at(-1)?.bytes ?? expect.fail('sealed');
        const opener = bench.opener(bothMs);
        expect(opener.open(place, sealed).kind).toBe('genuine');
        for (let bit = 0; bit < sealed.length * 8; bit++) {
          const flipped = Buffer.from(sealed);
          flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          expect(opener.open(place, flipped).kind, `bit ${bit}`).toBe('refused');
        }
        for (let length = 0; length < sealed.length; length++)
          expect(opener.open(place, sealed.subarray(0, length)).kind, `length ${length}`).toBe('refused');
        expect(opener.open(place, Buffer.concat([sealed, Buffer.from([0])])).kind).toBe('refused');
      }
    });

    it('are worth nothing in another region, topic or partition', () => {
      const bytes = one();
      expect(faultOf(bytes)).toBe('genuine');
      expect(faultOf(bytes, { ...place, partition: 3 })).toBe('bad-signature');
      expect(faultOf(bytes, { ...place, topic: 'progress' })).toBe('bad-signature');
      expect(faultOf(bytes, { ...place, topic: 'control' })).toBe('bad-signature');
      expect(faultOf(bytes, { ...place, region: us })).toBe('unknown-key');
    });

    it('of another region are not taken for ours', () => {
      expect(faultOf(one(us), place)).toBe('unknown-key');
      expect(faultOf(one(us), { ...place, region: us })).toBe('genuine');
    });

    it('are found the same after they were prepared, whatever was among them', async () => {
      const records = recordsOf(9).map(({ bytes }) => ({ partition: 2, bytes }));
      const sealed = bench
        .sealer(eu, 0)
        .seal('changes', records)
        .map(({ bytes }) => bytes);
      const flipped = Buffer.from(sealed[3] ?? []);
      flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
      const all = [...sealed, flipped, one(us), body, one(eu, 2), new Uint8Array()];
      const opener = bench.opener(bothMs);
      const unprepared = all.map((bytes) => bench.opener(bothMs).open(place, bytes));
      await opener.prepare(place, all);
      expect(all.map((bytes) => opener.open(place, bytes))).toEqual(unprepared);
      expect(unprepared.filter(({ kind }) => kind === 'genuine')).toHaveLength(9);
    });

    it('show what they would hold to who asks only whether it is of use', () => {
      const opener = bench.opener(bothMs);
      expect(Buffer.from(opener.bodyOf(one()) ?? [])).toEqual(body);
      expect(opener.bodyOf(body)).toBeNull();
      expect(opener.bodyOf(one().subarray(0, 8))).toBeNull();
    });

    it('are missed where there are none', () => {
      expect(faultOf(body)).toBe('unsigned');
      expect(faultOf(new Uint8Array())).toBe('unsigned');
    });

    it('count within the time of their key by the clock of the reader, and two keys at once', () => {
      expect(faultOf(one(eu, 0), place, startMs - 1)).toBe('genuine');
      expect(faultOf(one(eu, 1), place, startMs - 1)).toBe('expired-key');
      expect(faultOf(one(eu, 0), place, bothMs)).toBe('genuine');
      expect(faultOf(one(eu, 1), place, startMs)).toBe('genuine');
      expect(faultOf(one(eu, 0), place, expiryMs - 1)).toBe('genuine');
      expect(faultOf(one(eu, 0), place, expiryMs)).toBe('expired-key');
      expect(faultOf(one(eu, 1), place, expiryMs)).toBe('genuine');
    });

    it('of a key that nobody believes are refused', () => {
      expect(faultOf(one(eu, 2))).toBe('unknown-key');
    });
  });
}
