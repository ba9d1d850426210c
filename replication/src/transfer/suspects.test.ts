import { register, schema, set } from '@isthmus/conflict';
import { describe, expect, it } from 'vitest';
import { difference, hasDiverged } from './suspects.ts';

const Product = schema({ title: register(), tags: set() });
const nothing = new Uint8Array(0);
const id = { collection: 'products', key: 'a' };
type Edit = Parameters<(typeof Product)['edit']>[2];

function edited(state: Uint8Array, edit: Edit, actor = 'eu.1.00000001'): Uint8Array {
  return Product.edit(state, { actor, now: 1_700_000_000_000 }, edit).state;
}

const old = edited(nothing, (e) => e.set('title', 'old'));
const fresh = edited(old, (e) => e.set('title', 'new'));

describe('a divergence', () => {
  it('is what a side still lacks though it had every chance to know', () => {
    const earlier = { ...id, own: old, theirs: fresh };
    expect(difference(earlier)).toBe('differs');
    expect(hasDiverged(earlier, { own: old, theirs: fresh })).toBe(true);
    expect(hasDiverged({ ...id, own: fresh, theirs: old }, { own: fresh, theirs: old })).toBe(true);
    expect(hasDiverged({ ...id, own: nothing, theirs: old }, { own: nothing, theirs: old })).toBe(true);
  });

  it('is what two databases wrote under the same dots, which no merge makes equal', () => {
    const mine = edited(old, (e) => e.add('tags', ['x']));
    const theirs = edited(old, (e) => e.add('tags', ['y']));
    expect(hasDiverged({ ...id, own: mine, theirs }, { own: mine, theirs })).toBe(true);
    const later = edited(mine, (e) => e.set('title', 'new'));
    expect(hasDiverged({ ...id, own: mine, theirs }, { own: later, theirs })).toBe(false);
  });

  it('is not what has arrived meanwhile, nor what was written since', () => {
    const later = edited(fresh, (e) => e.set('title', 'newer'));
    expect(hasDiverged({ ...id, own: old, theirs: fresh }, { own: fresh, theirs: later })).toBe(false);
    expect(hasDiverged({ ...id, own: nothing, theirs: old }, { own: old, theirs: old })).toBe(false);
  });

  it('is not a record that was collected on one side meanwhile', () => {
    expect(hasDiverged({ ...id, own: old, theirs: nothing }, { own: nothing, theirs: nothing })).toBe(false);
    expect(hasDiverged({ ...id, own: nothing, theirs: old }, { own: nothing, theirs: nothing })).toBe(false);
  });

  it('is not what only one side knows to be deleted', () => {
    const cleared = edited(
      edited(old, (e) => e.add('tags', ['x'])),
      (e) => e.remove('tags', ['x']),
    );
    const dead = edited(old, (e) => e.delete());
    expect(difference({ ...id, own: old, theirs: cleared })).toBe('equal');
    expect(difference({ ...id, own: nothing, theirs: dead })).toBe('equal');
    expect(difference({ ...id, own: old, theirs: dead })).toBe('differs');
  });
});

describe('bytes that cannot be read', () => {
  const sides = (state: Uint8Array) => [
    difference({ own: state, theirs: fresh }),
    difference({ own: fresh, theirs: state }),
  ];

  it('are named with their side and cause, and differ from everything', () => {
    const cause = 'malformed';
    expect(sides(fresh.slice(0, -1))).toEqual([
      { side: 'own', cause },
      { side: 'theirs', cause },
    ]);
    expect(sides(Uint8Array.of(0x20, ...fresh.subarray(1)))).toMatchObject([
      { side: 'own', cause: 'newer-format' },
      { side: 'theirs', cause: 'newer-format' },
    ]);
  });

  it('end no judgement, whichever bit is flipped (I12)', () => {
    const unreadable: number[] = [];
    for (let bit = 0; bit < fresh.length * 8; bit++) {
      const state = new Uint8Array(fresh);
      state[bit >> 3] = (state[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (sides(state).some((found) => typeof found !== 'string')) unreadable.push(bit);
      hasDiverged({ ...id, own: old, theirs: fresh }, { own: state, theirs: fresh });
      hasDiverged({ ...id, own: state, theirs: fresh }, { own: state, theirs: fresh });
    }
    expect(unreadable.length).toBeGreaterThan(50);
  });
});
