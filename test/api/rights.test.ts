/**
 * Claiming rights that an earlier life of the region holds (P8, P9): a spending of that life that was put aside is not in
 * the record, so its rights may not be claimed under the same dots before it is (I7).
 */
import { boundedCounter, schema } from '@isthmus/conflict';
import { type Actor, actorOf, type Incarnation } from '@isthmus/replication/ports/identity';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { call, refusalOf } from './conflict-calls.ts';
import { type Site, startSite } from './site.ts';

const products = schema({ stock: boundedCounter() });
const nothing = new Uint8Array(0);
const letters = z.object({ deadLetters: z.array(z.object({ id: z.string(), origin: z.literal('eu') })) });

let site: Site;
let former: Incarnation;
let formerActor: Actor;

beforeAll(async () => {
  site = await startSite({ products: { fields: { stock: { type: 'bounded-counter' } } } });
  const { region, incarnation } = site.database.identity;
  former = { counter: incarnation.counter, nonce: incarnation.nonce === 1 ? 2 : 1 };
  formerActor = actorOf(region, former);
}, 120_000);

afterAll(() => site.stop());

const id = { collection: 'products', key: 'counted' };
const rights = (path = '', body?: unknown) =>
  call(
    `${site.adminUrl}/v1/rights/products/counted${path}`,
    body === undefined ? {} : { method: 'POST', body },
  );
const holds = (amount: number, claimableBy: string | null) => ({
  status: 200,
  body: { fields: [{ holders: [{ actor: formerActor, rights: amount, claimableBy }] }] },
});

/** The former life granted 10, and what it spent of them comes out of its log and is put aside. */
async function spentAside(amount: number): Promise<void> {
  const { records, identity } = site.database;
  const context = { actor: formerActor, floor: 0, now: 1000 };
  const granted = products.edit(nothing, context, (editor) => editor.refill('stock', 10));
  const spent = products.edit(granted.state, context, (editor) => editor.spend('stock', amount));
  const place = { origin: identity.region, incarnation: former, partition: 0 };
  await records.createPosition({ ...place, applied: 5n, settled: 5n, beat: null, nextOffset: 0n });
  const move = { incarnation: former, partition: 0, beat: null, nextOffset: 1n };
  const letter = { partition: 0, ...id, delta: spent.delta, lsn: 9n, index: 0 };
  const why = { cause: 'clock-too-far-ahead', detail: 'ahead', stampMs: Date.now() + 3_600_000 } as const;
  const outcome = await records.applyRemote({
    origin: identity.region,
    positions: [{ ...move, expected: 5n, applied: 10n }],
    ids: [id],
    decide: () => ({ writes: [{ index: 0, state: granted.state }], deadLetters: [{ ...letter, ...why }] }),
  });
  expect(outcome).toBe('applied');
}

it('waits while a spending of that life is put aside, and claims what is left once it is applied', async () => {
  await spentAside(8);
  expect(await rights()).toMatchObject(holds(10, null));
  for (const query of ['?dryRun=true', '']) {
    const refused = await rights(`/claim${query}`, { field: 'stock' });
    expect(refusalOf(refused)).toEqual([503, 'claim-waits']);
    expect(refused.body).toMatchObject({ detail: expect.stringContaining('put aside here') });
  }

  const { deadLetters } = letters.parse((await call(`${site.adminUrl}/v1/dead-letters`)).body);
  expect(deadLetters).toHaveLength(1);
  const retried = await call(`${site.adminUrl}/v1/dead-letters/${deadLetters[0]?.id}/retry`, {
    method: 'POST',
  });
  expect(retried.body).toMatchObject({ outcome: 'applied' });
  expect(await rights()).toMatchObject(holds(2, 'eu'));
  expect(await rights('/claim', { field: 'stock' })).toMatchObject({
    status: 200,
    body: { claims: [{ actor: formerActor, rights: 2 }] },
  });
});
