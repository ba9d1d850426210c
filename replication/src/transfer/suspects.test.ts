import { register, schema, set } from '@isthmus/conflict';
import { describe, expect, it } from 'vitest';
import { hasDiverged, isSuspect } from './suspects.ts';

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
    expect(isSuspect(earlier)).toBe(true);
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
    expect(isSuspect({ ...id, own: old, theirs: cleared })).toBe(false);
    expect(isSuspect({ ...id, own: nothing, theirs: dead })).toBe(false);
    expect(isSuspect({ ...id, own: old, theirs: dead })).toBe(true);
  });
});
