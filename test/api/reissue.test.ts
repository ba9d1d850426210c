/** Rows of an export, as large as they may be: each is issued again or named with its reason, and none holds up another. */
import { merge, register, schema } from '@isthmus/conflict';
import { maxTransferBytes } from '@isthmus/replication/log/transfer-message';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { call } from './conflict-calls.ts';
import { type Site, startSite, usActor, valueOf } from './site.ts';

const unlimited = { deltaBytes: 2 * maxTransferBytes, stateBytes: 2 * maxTransferBytes };
const products = schema({ title: register() }, { limits: unlimited });
const nothing = new Uint8Array(0);
const mebibyte = 1024 * 1024;

let site: Site;

beforeAll(async () => {
  site = await startSite({ products: { fields: { title: { type: 'register' } } } });
}, 120_000);

afterAll(() => site.stop());

function titled(title: string, actor: string): Uint8Array {
  return products.edit(nothing, { actor, now: 1000 }, (editor) => editor.set('title', title)).state;
}

function row(key: string, delta: Uint8Array, base: Uint8Array | null) {
  const id = Buffer.from(key.padEnd(16, '-')).toString('hex');
  const bytes = (of: Uint8Array) => Buffer.from(of).toString('base64');
  const texts = { delta: bytes(delta), base: base === null ? null : bytes(base) };
  return { id, actor: usActor, collection: 'products', key, ...texts, needsBase: false };
}

const reissue = (rows: readonly object[]) =>
  call(`${site.adminUrl}/v1/reissue`, { method: 'POST', body: { rows } });

/** Merges refuse nothing, so a state that many regions wrote grows beyond what one of them may write. */
function largestState(): Uint8Array {
  let state: Uint8Array = nothing;
  for (let writer = 1; ; writer++) {
    const more = merge(
      state,
      titled('x'.repeat(mebibyte - 200), `ap.1.${`${writer}`.padStart(8, '0')}`),
    ).state;
    if (more.length > maxTransferBytes) return state;
    state = more;
  }
}

it('takes a row of which others have written as much as a transfer brings', async () => {
  const base = largestState();
  expect(base.length).toBeGreaterThan(0.9 * maxTransferBytes);
  expect(await reissue([row('wide', titled('lost', usActor), base)])).toMatchObject({
    status: 200,
    body: { results: [{ outcome: 'issued' }] },
  });
});

it('names a change that no single write may make, and issues the others beside it', async () => {
  const large = row('large', titled('x'.repeat(3 * mebibyte), usActor), null);
  expect(await reissue([large, row('small', titled('lost', usActor), null)])).toMatchObject({
    status: 200,
    body: { results: [{ id: large.id, outcome: 'refused' }, { outcome: 'issued' }] },
  });
  const read = await site.call('GET', '/v1/collections/products/records/small');
  expect(valueOf(read)).toEqual({ title: 'lost' });
});

it('takes the largest row of all by itself', async () => {
  const largest = largestState();
  expect(await reissue([row('both', largest, largest)])).toMatchObject({ status: 200 });
});

it('says where the bytes of a row are more than an export has', async () => {
  const beyond = titled('x'.repeat(maxTransferBytes), usActor);
  expect(await reissue([row('beyond', beyond, null)])).toMatchObject({
    status: 422,
    body: { violations: [{ field: 'rows.0.delta' }] },
  });
});
