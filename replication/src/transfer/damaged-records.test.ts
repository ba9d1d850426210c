import { ConflictError, register, schema } from '@isthmus/conflict';
import { describe, expect, it } from 'vitest';
import { actorOf, parseRegionId } from '../ports/identity.ts';
import { DamagedRecords } from './damaged-records.ts';
import { difference } from './suspects.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const incarnation = { counter: 1, nonce: 2 };
const self = { region: us, incarnation };
const ours = actorOf(us, incarnation);
const at = (lsn: bigint) => [{ region: us, incarnation, partition: 0, lsn }];

const Product = schema({ title: register() });
const id = { collection: 'products', key: 'a' };

function written(title: string, actor: string, before: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Product.edit(before, { actor, now: 1000 }, (edit) => edit.set('title', title)).state;
}

/** Another region wrote it, and then we. */
const both = written('b', ours, written('a', 'eu.1.00000001'));
const onlyTheirs = written('a', 'eu.1.00000001');
/** Its head says as much as before. */
const cut = (state: Uint8Array) => state.slice(0, -1);
/** It names more actors than there are. */
const headless = (state: Uint8Array) => Uint8Array.of(state[0] ?? 0, 0x7f, ...state.subarray(2));

function noted(state: Uint8Array, reached = 10n): DamagedRecords {
  const damaged = new DamagedRecords(self);
  damaged.note({ ...id, state }, at(reached));
  return damaged;
}

const givesWay = (damaged: DamagedRecords, stored: Uint8Array, shown: Uint8Array, lsn = 10n) =>
  damaged.givesWay({ ...id, state: stored }, { vector: at(lsn), whole: [], state: shown });

describe('a damaged record gives way', () => {
  it('to a snapshot that shows all that was held as it was seen, and to none before', () => {
    const stored = headless(both);
    expect(givesWay(noted(stored), stored, both, 10n)).toBe(true);
    expect(givesWay(noted(stored), stored, both, 9n)).toBe(false);
    expect(givesWay(new DamagedRecords(self), stored, both)).toBe(false);
  });

  it('as long as its bytes are those that were seen', () => {
    const stored = headless(both);
    expect(givesWay(noted(stored), cut(both), both)).toBe(false);
    const damaged = noted(stored);
    damaged.note({ ...id, state: cut(both) }, at(20n));
    expect(givesWay(damaged, cut(both), both, 19n)).toBe(false);
    expect(givesWay(damaged, cut(both), both, 20n)).toBe(true);
  });

  it('as of the first time that it was seen', () => {
    const damaged = noted(headless(both));
    damaged.note({ ...id, state: headless(both) }, at(20n));
    expect(givesWay(damaged, headless(both), both, 10n)).toBe(true);
  });

  it('only where no own dot can be given away twice (P3)', () => {
    // The donor may have collected what we wrote, and have it again without our dots.
    const again = written('c', 'eu.1.00000001');
    expect(givesWay(noted(headless(both)), headless(both), again)).toBe(false);
    expect(givesWay(noted(cut(both)), cut(both), again)).toBe(false);
    expect(givesWay(noted(cut(onlyTheirs)), cut(onlyTheirs), onlyTheirs)).toBe(true);
  });

  it('to nothing that is damaged as well', () => {
    expect(givesWay(noted(cut(both)), cut(both), headless(both))).toBe(false);
  });

  it('because no edit gets into it, whichever bit is flipped', () => {
    let unreadable = 0;
    for (let bit = 0; bit < both.length * 8; bit++) {
      const stored = new Uint8Array(both);
      stored[bit >> 3] = (stored[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (difference({ own: stored, theirs: stored }) === 'equal') continue;
      unreadable++;
      expect(() => written('c', ours, stored)).toThrow(ConflictError);
    }
    expect(unreadable).toBeGreaterThan(100);
  });

  it('while not too many others were found since (I12)', () => {
    const damaged = noted(headless(both));
    const other = (index: number) => ({ collection: 'products', key: String(index), state: headless(both) });
    for (let index = 0; index < 999; index++) damaged.note(other(index), at(10n));
    expect(givesWay(damaged, headless(both), both)).toBe(true);
    damaged.note(other(999), at(10n));
    expect(givesWay(damaged, headless(both), both)).toBe(false);
  });
});
