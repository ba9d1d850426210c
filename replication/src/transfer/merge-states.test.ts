import { register, schema } from '@isthmus/conflict';
import { describe, expect, it } from 'vitest';
import { parseRegionId } from '../ports/identity.ts';
import type { StoredRecord } from '../ports/record-store.ts';
import type { PassedLetter } from '../ports/transfer-store.ts';
import type { Shown } from './damaged-records.ts';
import { decideMerge, decideRaise } from './merge-states.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const at = (lsn: bigint) => [{ region: eu, incarnation: { counter: 1, nonce: 1 }, partition: 0, lsn }];
const Product = schema({ title: register() });
const nothing = new Uint8Array(0);
const now = 1_700_000_000_000;
const id = { collection: 'products', key: 'a' };

function written(title: string, stampMs = now): Uint8Array {
  return Product.edit(nothing, { actor: 'eu.1.00000001', now: stampMs }, (e) => e.set('title', title)).state;
}

describe('merging what a donor holds', () => {
  const state = written('a');
  const unreadable = { ...id, delta: Uint8Array.of(9, 9, 9), state, isGivenUp: false, isRefused: false };
  const letter = (of: Partial<PassedLetter>): PassedLetter => ({ ...unreadable, ...of });
  const records = [{ ...id, state }];
  const bounds = { vector: at(9n), latestStampMs: now + 60_000, givesWay: () => false };

  it('writes what brings something, and nothing else', () => {
    const decide = (before: Uint8Array) => decideMerge(records, { states: [before], horizon: [] }, bounds);
    expect(decide(nothing)).toEqual({ writes: [{ index: 0, state }], refused: [] });
    expect(decide(state)).toEqual({ writes: [], refused: [] });
  });

  it('is off where the snapshot has not reached the own horizon (P6, P8)', () => {
    const decide = (horizon: bigint) =>
      decideMerge(records, { states: [nothing], horizon: at(horizon) }, bounds);
    expect(decide(9n)).not.toBeNull();
    expect(decide(10n)).toBeNull();
    expect(decideRaise({ letters: [], horizon: at(10n) }, at(9n))).toBeNull();
    expect(decideRaise({ letters: [], horizon: at(9n) }, at(9n))).toEqual([]);
  });

  it('puts what the donor has in the place of a damaged record, and lets nothing else give way (0062)', () => {
    const damaged = state.slice(0, -1);
    const others = { ...id, key: 'b', state: written('b') };
    const givesWay = ({ key, state: stored }: StoredRecord, shown: Omit<Shown, 'whole'>) =>
      key === 'a' && stored === damaged && shown.vector === bounds.vector && shown.state === state;
    const decide = (mayGiveWay: typeof givesWay) =>
      decideMerge(
        [...records, others],
        { states: [damaged, written('c', now - 1)], horizon: [] },
        { ...bounds, givesWay: mayGiveWay },
      );
    const decision = decide(givesWay);
    expect(decision?.writes[0]).toEqual({ index: 0, state });
    expect(decision?.refused).toEqual([]);
    expect(decide(() => false)?.writes).toEqual(decision?.writes.slice(1));
  });

  it('puts aside what is malformed or from too far ahead, and spoils nothing beside it', () => {
    const late = { ...id, key: 'b', state: written('b', now + 60_001) };
    const broken = { ...id, key: 'c', state: Uint8Array.of(9, 9, 9) };
    const decision = decideMerge(
      [late, broken, ...records],
      { states: [nothing, nothing, nothing], horizon: [] },
      bounds,
    );
    expect(decision?.writes).toEqual([{ index: 2, state }]);
    expect(decision?.refused).toMatchObject([
      { key: 'b', cause: 'clock-too-far-ahead' },
      { key: 'c', cause: 'malformed' },
    ]);
  });

  it('covers a dead letter only where the record has seen all of it', () => {
    const letters = [letter({ delta: state }), letter({ delta: state, state: nothing }), letter({})];
    expect(decideRaise({ letters, horizon: [] }, [])).toEqual([true, false, false]);
  });

  it('closes one that was given up, unless the record of the donor was refused as well (P4)', () => {
    const letters = [letter({ isGivenUp: true }), letter({ isGivenUp: true, isRefused: true })];
    expect(decideRaise({ letters, horizon: [] }, [])).toEqual([true, false]);
  });
});
