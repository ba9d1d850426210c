import { once } from 'node:events';
import http from 'node:http';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { afterEach, expect, test } from 'vitest';
import { HttpTransferPeer } from './transfer-peer.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
/** Far below what a peer is waited for where somebody waits. */
const deadlineMs = 8000;
const unavailable = { code: 'peer-unavailable', retriable: true };
const endings: (() => void)[] = [];

afterEach(() => {
  for (const end of endings.splice(0)) end();
});

/** Our way to a peer on a real socket that does this with requests. */
async function peer(handle: http.RequestListener): Promise<HttpTransferPeer> {
  const server = http.createServer(handle).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') return expect.fail('no port');
  const admins = new Map([[us, `http://127.0.0.1:${address.port}`]]);
  const ours = new HttpTransferPeer({ admins, secret: '' });
  endings.push(
    () => server.close(),
    () => server.closeAllConnections(),
    () => ours.close(),
  );
  return ours;
}

test.each([
  ['accepts and never answers', () => undefined],
  ['never ends its answer', (response: http.ServerResponse) => response.write('a part')],
])(
  'a peer that %s is waited for no longer than anybody waits',
  async (_what, answer) => {
    const end = new AbortController();
    const donor = await peer((_request, response) => {
      answer(response);
      setImmediate(() => end.abort());
    });
    await expect(donor.ask(us, { kind: 'open' }, end.signal)).rejects.toMatchObject(unavailable);
  },
  deadlineMs,
);

test('where nobody waits nothing is asked', async () => {
  let asked = 0;
  const donor = await peer(() => void asked++);
  await expect(donor.ask(us, { kind: 'open' }, AbortSignal.abort())).rejects.toMatchObject(unavailable);
  expect(asked).toBe(0);
});

test(
  'a snapshot that is given back to a peer that does not answer is soon let go',
  async () => {
    const donor = await peer(() => undefined);
    await expect(donor.ask(us, { kind: 'close', snapshot: 'one' })).rejects.toMatchObject(unavailable);
  },
  deadlineMs,
);

test(
  'closing ends all that is under way or still waits for a connection',
  async () => {
    let asked = 0;
    let heard = (): void => undefined;
    const busy = new Promise<void>((resolve) => {
      heard = resolve;
    });
    const donor = await peer(() => {
      if (++asked === 4) heard();
    });
    const asking = Array.from({ length: 9 }, () => donor.ask(us, { kind: 'open' }));
    const ended = Promise.allSettled(asking);
    await busy;
    donor.close();
    for (const outcome of await ended)
      expect(outcome).toMatchObject({ status: 'rejected', reason: unavailable });
    await expect(donor.ask(us, { kind: 'open' })).rejects.toMatchObject(unavailable);
    expect(asked).toBe(4);
  },
  deadlineMs,
);
