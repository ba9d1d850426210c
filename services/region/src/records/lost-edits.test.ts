/**
 * What a change that never arrived comes to, against what the record has become meanwhile: counters as differences, later
 * writes untouched, removals of what they had seen, and nothing of the old life in what is written.
 */
import { contextOf, merge } from '@isthmus/conflict';
import { type Actor, actorOf, parseRegionId } from '@isthmus/replication/ports/identity';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDeclarations } from '../declarations.ts';
import { Problem } from '../problem.ts';
import type { FieldEdit, OperationEdit } from './field-edit.ts';
import type { RecordType } from './record-type.ts';
import { recordTypes } from './record-types.ts';
import { loadTextEngine } from './text-engine.ts';

const none = new Uint8Array(0);
const fields = {
  title: { type: 'register' },
  likes: { type: 'counter' },
  stock: { type: 'bounded-counter', min: 5 },
  tags: { type: 'set' },
  notes: { type: 'text' },
  open: { type: 'map', of: { type: 'register' } },
};

let type: RecordType;
let eu: Region;
let ap: Region;

beforeAll(async () => {
  const parsed = parseDeclarations(JSON.stringify({ collections: { products: { fields } } }));
  const declared = parsed.kind === 'declared' ? parsed.declarations : expect.fail(parsed.faults.join());
  type = recordTypes(declared, await loadTextEngine(declared)).get('products') ?? expect.fail('declared');
});

beforeEach(() => {
  [eu, ap] = [new Region('eu'), new Region('ap')];
});

/** One record as one region holds it; its clock is what the test says. */
class Region {
  state: Uint8Array = none;
  readonly #actor: Actor;

  constructor(name: string) {
    const region = parseRegionId(name) ?? expect.fail('a region');
    this.#actor = actorOf(region, { counter: 1, nonce: 1 });
  }

  /** The delta. */
  edit(
    now: number,
    ...edits: readonly (OperationEdit & { readonly names: readonly string[] })[]
  ): Uint8Array {
    const placed = edits.map((edit): FieldEdit => ({ ...edit, at: edit.names.join('.') }));
    return this.#made(type.edit(this.state, this.#context(now), placed));
  }

  remove(now: number): Uint8Array {
    return this.#made(type.remove(this.state, this.#context(now)));
  }

  take(delta: Uint8Array): void {
    this.state = this.state.length === 0 ? delta : merge(this.state, delta).state;
  }

  /** What `reissue-edit.ts` does under the lock. */
  reissue(now: number, change: { readonly base: Uint8Array | null; readonly delta: Uint8Array }): string {
    const lost = type.lost(this.state, change);
    if (lost.kind === 'edits') this.#made(type.edit(this.state, this.#context(now), lost.edits));
    if (lost.kind === 'delete') this.remove(now);
    return lost.kind;
  }

  get value(): unknown {
    return type.view(this.state)?.value ?? null;
  }

  #context(now: number) {
    return { actor: this.#actor, floor: 0, floorMs: 0, now };
  }

  #made(made: ReturnType<RecordType['edit']>): Uint8Array {
    if (made instanceof Problem) throw made;
    this.state = made.state;
    return made.delta;
  }
}

const set = (value: string, ...names: readonly string[]) => ({ op: 'set' as const, value, names });

/** Both hold this, and ap goes on alone. */
function share(): Uint8Array {
  const first = eu.edit(
    1000,
    set('first', 'title'),
    { op: 'increment', by: 5, names: ['likes'] },
    { op: 'refill', by: 10, names: ['stock'] },
    { op: 'add', elements: ['old', 'kept'], names: ['tags'] },
    { op: 'splice', splices: [{ at: 0, delete: 0, insert: 'one three' }], names: ['notes'] },
  );
  ap.take(first);
  eu.take(
    ap.edit(1100, { op: 'increment', by: 2, names: ['likes'] }, { op: 'refill', by: 4, names: ['stock'] }),
  );
  return eu.state;
}

describe('what a region wrote alone', () => {
  it('is made of differences, with what the survivor holds as their base', () => {
    const base = share();
    const delta = ap.edit(
      2000,
      set('by ap', 'title'),
      { op: 'increment', by: 3, names: ['likes'] },
      { op: 'spend', by: 1, names: ['stock'] },
      { op: 'add', elements: ['new'], names: ['tags'] },
      { op: 'splice', splices: [{ at: 4, delete: 0, insert: 'two ' }], names: ['notes'] },
      set('x', 'open', 'a.b'),
    );
    eu.edit(3000, { op: 'increment', by: 100, names: ['likes'] });
    expect(eu.reissue(4000, { base, delta })).toBe('edits');
    expect(eu.value).toEqual({
      title: 'by ap',
      likes: 110,
      stock: 18,
      tags: ['kept', 'new', 'old'],
      notes: 'one two three',
      open: { 'a.b': 'x' },
    });
  });

  it('leaves later writes of others, and says so', () => {
    const base = share();
    const delta = ap.edit(2000, set('by ap', 'title'));
    eu.edit(3000, set('by eu', 'title'));
    expect(eu.reissue(4000, { base, delta })).toBe('nothing');
    expect(eu.value).toMatchObject({ title: 'by eu' });
  });

  it('takes away only what it had seen', () => {
    const base = share();
    const delta = ap.edit(2000, { op: 'remove', elements: ['old', 'kept'], names: ['tags'] });
    eu.edit(2500, { op: 'add', elements: ['kept'], names: ['tags'] });
    eu.reissue(4000, { base, delta });
    expect(eu.value).toMatchObject({ tags: ['kept'] });
  });

  it('deletes what it had seen, and not what was written beside', () => {
    const base = share();
    const delta = ap.remove(2000);
    expect(eu.reissue(4000, { base, delta })).toBe('delete');
    expect(eu.value).toBeNull();
    eu = new Region('us');
    eu.take(base);
    eu.edit(2500, set('beside', 'title'));
    eu.reissue(4000, { base, delta });
    expect(eu.value).toMatchObject({ title: 'beside' });
  });

  it('creates what nobody has', () => {
    const delta = ap.edit(2000, { op: 'increment', by: 1, names: ['likes'] });
    expect(eu.reissue(4000, { base: null, delta })).toBe('edits');
    expect(eu.value).toMatchObject({ likes: 1 });
  });

  it('counts on from its base where the survivors have dropped the record since', () => {
    const base = share();
    const delta = ap.edit(2000, { op: 'increment', by: 3, names: ['likes'] });
    eu.state = none;
    eu.reissue(4000, { base, delta });
    expect(eu.value).toMatchObject({ likes: 3 });
  });

  it('gives no dot of its life to who issues it', () => {
    const base = share();
    const delta = ap.edit(2000, set('by ap', 'title'));
    const before = contextOf(eu.state).last('ap.1.00000001');
    eu.reissue(4000, { base, delta });
    expect(contextOf(eu.state).last('ap.1.00000001')).toBe(before);
  });
});
