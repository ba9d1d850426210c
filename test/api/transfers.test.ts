/** Transfers on the admin listener: what a peer reads through real HTTP, and what an operator may ask for. */
import { HttpTransferPeer } from '@isthmus/region/transfer-peer';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { beginning } from '@isthmus/replication/ports/record-reader';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Site, startSite } from './site.ts';

const eu = parseRegionId('eu') ?? expect.fail('eu is a region');
const collections = { products: { fields: { title: { type: 'register' } } } };
const mediaType = 'application/vnd.isthmus.transfer';

let site: Site;
let peer: HttpTransferPeer;

beforeAll(async () => {
  site = await startSite(collections);
  peer = new HttpTransferPeer({ admins: new Map([[eu, site.adminUrl]]), secret: '' });
}, 120_000);

afterAll(() => site.stop());

/** A beat that the own log holds, with everything before it. */
async function beat(): Promise<void> {
  const { beats } = site.database;
  const hold = await beats.tryHold();
  await hold?.beat();
  await hold?.release();
  const { newest } = (await beats.overview()).own;
  const { insertLsn } = await site.database.transfers.standing();
  if (newest === null) return expect.fail('a beat was just written');
  await beats.storePublished([{ ...newest, end: insertLsn + 1_000_000n, count: 0 }]);
}

describe('a peer', () => {
  it('reads a snapshot through HTTP', async () => {
    await site.put('a', { title: 'x' });
    expect(await peer.ask(eu, { kind: 'open' })).toMatchObject({ kind: 'refused', refusal: 'no-beat' });
    await beat();
    const opened = await peer.ask(eu, { kind: 'open' });
    if (opened.kind !== 'offer') return expect.fail('it is served');
    const { snapshot } = opened.offer;
    const ranges = await peer.ask(eu, { kind: 'ranges', snapshot, after: beginning });
    if (ranges.kind !== 'ranges') return expect.fail('it has ranges');
    const until = ranges.ranges.at(-1)?.until ?? beginning;
    const fetched = await peer.ask(eu, {
      kind: 'fetch',
      snapshot,
      range: { after: beginning, until },
      have: [],
    });
    expect(fetched).toMatchObject({ kind: 'records', fetched: { through: until, lacking: [] } });
    expect(await peer.ask(eu, { kind: 'close', snapshot })).toEqual({ kind: 'closed' });
    const late = await peer.ask(eu, { kind: 'ranges', snapshot, after: beginning });
    expect(late).toMatchObject({ refusal: 'snapshot-gone' });
  });

  it('is told that it sent nonsense, and that it cannot reach anybody', async () => {
    const send = (body: Uint8Array<ArrayBuffer> | string, type: string): Promise<Response> =>
      fetch(`${site.adminUrl}/v1/transfer/ask`, { method: 'POST', headers: { 'content-type': type }, body });
    const answered = await send(Uint8Array.of(1, 2, 3), mediaType);
    expect([answered.status, answered.headers.get('content-type')]).toEqual([200, mediaType]);
    expect(Buffer.from(await answered.arrayBuffer()).toString('latin1')).toContain('checksum-mismatch');
    expect((await send('{}', 'application/json')).status).toBe(415);
    expect((await send(new Uint8Array(2 * 1024 * 1024), mediaType)).status).toBe(413);
    const nowhere = new HttpTransferPeer({ admins: new Map([[eu, 'http://127.0.0.1:9']]), secret: '' });
    await expect(nowhere.ask(eu, { kind: 'open' })).rejects.toMatchObject({
      code: 'peer-unavailable',
      retriable: true,
    });
    await expect(
      new HttpTransferPeer({ admins: new Map(), secret: '' }).ask(eu, { kind: 'open' }),
    ).rejects.toMatchObject({
      code: 'peer-unavailable',
    });
  });
});

describe('an operator', () => {
  const ask = async (path: string, method = 'POST') => {
    const { status, text } = await site.ask(path, method);
    const body: unknown = JSON.parse(text);
    return { status, body };
  };

  it('asks for a transfer, which is noted once while it is open', async () => {
    const wanted = { transfers: [{ id: 1, donor: 'us', cause: 'repair', state: 'wanted', dryRun: false }] };
    expect(await ask('/v1/transfer')).toMatchObject({ status: 202, body: wanted });
    expect(await ask('/v1/transfer?from=us')).toMatchObject({ status: 202, body: wanted });
    expect(await ask('/v1/transfer?dryRun=true')).toMatchObject({
      body: { dryRun: true, transfers: [{ dryRun: true }] },
    });
    expect(await ask('/v1/transfers/1', 'GET')).toMatchObject({ status: 200, body: wanted.transfers[0] });
    const { body } = await ask('/v1/transfers', 'GET');
    expect(body).toMatchObject({ transfers: [{ dryRun: true }, { id: 1 }] });
  });

  it('asks for a sweep', async () => {
    const dry = { status: 202, body: { dryRun: true, peers: ['us'] } };
    expect(await ask('/v1/sweep?peer=us&dryRun=true')).toEqual(dry);
    expect(await site.database.verifications.all()).not.toMatchObject([{ peer: 'us', isWanted: true }]);
    expect(await ask('/v1/sweep')).toEqual({ status: 202, body: { dryRun: false, peers: ['us'] } });
    expect(await site.database.verifications.all()).toMatchObject([{ peer: 'us', isWanted: true }]);
  });

  it('is told what is wrong with a request', async () => {
    const refused = [
      ['/v1/transfer?from=mars', 'from'],
      ['/v1/transfer?dryRun=perhaps', 'dryRun'],
      ['/v1/sweep?peer=eu', 'peer'],
      ['/v1/sweep?dryRun=perhaps', 'dryRun'],
    ] as const;
    for (const [path, field] of refused)
      expect(await ask(path)).toMatchObject({
        status: 422,
        body: { violations: [{ field, rule: 'one-of' }] },
      });
    for (const path of ['/v1/transfers/99999', '/v1/transfers/x'])
      expect(await ask(path, 'GET')).toMatchObject({ status: 404, body: { code: 'not-found' } });
  });
});
