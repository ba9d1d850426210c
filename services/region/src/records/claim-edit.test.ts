/**
 * Claims of stranded rights (I7): they change who may spend and nothing else, take exactly what the gone actor holds, and
 * a row of an export that they would make ambiguous is left.
 */
import { boundedCounter, merge, register, schema } from '@isthmus/conflict';
import { actorOf, parseActor, parseRegionId } from '@isthmus/replication/ports/identity';
import { expect, test } from 'vitest';
import { parseDeclarations } from '../declarations.ts';
import { Problem } from '../problem.ts';
import { claimRights } from './claim-edit.ts';
import { recordTypes } from './record-types.ts';
import { reissueEdits } from './reissue-edit.ts';
import { holdersAt, isStranded } from './rights.ts';

const none = new Uint8Array(0);
const product = schema({ stock: boundedCounter({ min: 3 }), title: register() });
const parsed = parseDeclarations(
  JSON.stringify({
    collections: {
      products: { fields: { stock: { type: 'bounded-counter', min: 3 }, title: { type: 'register' } } },
    },
  }),
);
const declared = parsed.kind === 'declared' ? parsed.declarations : expect.fail(parsed.faults.join());
const type = recordTypes(declared).get('products') ?? expect.fail('declared');

const regionOf = (name: string) => parseRegionId(name) ?? expect.fail('a region');
const actor = (name: string, counter = 1) => actorOf(regionOf(name), { counter, nonce: 1 });
const context = { actor: actor('eu'), floor: 0, floorMs: 0, now: 5000 };
const claim = (name: string) => ({
  names: ['stock'],
  field: 'stock',
  from: (holder: { readonly actor: string }) =>
    holder.actor.startsWith(`${name}.`) ? parseActor(holder.actor) : null,
});

type Edit = Parameters<typeof product.edit>[2];
const edit = (state: Uint8Array, name: string, change: Edit) =>
  product.edit(state, { actor: actor(name), now: 1000 }, change);

/** ap was given 10, moved 2 to us, used 3; eu has 4. */
function stored(): Uint8Array {
  let { state } = edit(none, 'ap', (e) => e.refill('stock', 10));
  ({ state } = edit(state, 'ap', (e) => e.moveRights('stock', { to: actor('us'), amount: 2 })));
  ({ state } = edit(state, 'ap', (e) => e.spend('stock', 3)));
  return edit(state, 'eu', (e) => e.refill('stock', 4)).state;
}

test('holders are told with what they could spend, to the last one', () => {
  const holders = holdersAt(stored(), 'stock');
  expect(holders.map(({ region, rights }) => [region, rights])).toEqual([
    ['ap', 5],
    ['eu', 4],
    ['us', 2],
  ]);
  for (const { region, rights } of holders) {
    expect(() => edit(stored(), region ?? '', (e) => e.spend('stock', rights + 1))).toThrow(/insufficient/);
    edit(stored(), region ?? '', (e) => e.spend('stock', rights));
  }
});

test('rights of the gone are stranded, and of earlier lives; those of writers are not', () => {
  const writers = { self: actor('eu', 2), closed: new Set([regionOf('ap')]), actorOf: () => actor('us') };
  const held = holdersAt(stored(), 'stock').map((holder) => [holder.region, isStranded(holder, writers)]);
  expect(held).toEqual([
    ['ap', true],
    ['eu', true],
    ['us', false],
  ]);
});

test('a claim moves what the gone actor holds, shows nothing else, and comes to nothing the second time', () => {
  const before = stored();
  const made = claimRights(type, { before, context }, claim('ap'));
  if (made === null || made instanceof Problem) return expect.fail('claimed');
  expect(made.claimed.claims).toMatchObject([{ region: 'ap', rights: 5 }]);
  expect(type.view(made.state)?.value).toEqual(type.view(before)?.value);
  const arrived = merge(before, made.delta).state;
  expect(holdersAt(arrived, 'stock').map(({ region, rights }) => [region, rights])).toEqual([
    ['eu', 9],
    ['us', 2],
  ]);
  expect(claimRights(type, { before: arrived, context }, claim('ap'))).toBeNull();
});

test('what the gone actor wrote alone is left once its rights were claimed', () => {
  const base = stored();
  const { delta } = edit(base, 'ap', (e) => e.set('title', 'alone'));
  const made = claimRights(type, { before: base, context }, claim('ap'));
  if (made === null || made instanceof Problem) return expect.fail('claimed');
  const row = { id: '0'.repeat(32), actor: actor('ap'), collection: 'products', key: 'a', base, delta };
  const [, issue] = reissueEdits(row, type, false);
  expect(issue?.edit(made.state, context)).toMatchObject({
    kind: 'refuse',
    refusal: { code: 'claimed-since' },
  });
  expect(issue?.edit(base, context)).toMatchObject({ kind: 'write', result: 'issued' });
});

test('a claim that the heir made alone is left once whoever inherits from it has claimed the same rights', () => {
  const base = stored();
  const byHeir = claimRights(
    type,
    { before: base, context: { ...context, actor: actor('us') } },
    claim('ap'),
  );
  const bySecond = claimRights(type, { before: base, context }, claim('ap'));
  if (byHeir === null || byHeir instanceof Problem || bySecond === null || bySecond instanceof Problem)
    return expect.fail('claimed');
  const { delta } = byHeir;
  const row = { id: '0'.repeat(32), actor: actor('us'), collection: 'products', key: 'a', base, delta };
  const [, issue] = reissueEdits(row, type, false);
  expect(issue?.edit(bySecond.state, context)).toMatchObject({
    kind: 'refuse',
    refusal: { code: 'claimed-since' },
  });
});
