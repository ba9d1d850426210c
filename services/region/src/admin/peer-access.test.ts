/** Who is let in as a peer: nobody by default but this machine, and with a secret nobody without it. */
import { expect, test } from 'vitest';
import { createListener } from '../http/listener.ts';
import { quietListener } from '../http/quiet-listener.ts';
import { peerHeaders, requirePeer } from './peer-access.ts';

const secret = 'shared-by-all-regions';

async function ask(
  configured: string,
  of: { readonly from: string; readonly headers?: Readonly<Record<string, string>> },
) {
  const app = createListener(quietListener);
  app.get('/', (request) => {
    requirePeer(request, configured);
    return { served: true };
  });
  const { from: remoteAddress, headers = {} } = of;
  const { statusCode, body } = await app.inject({ method: 'GET', url: '/', remoteAddress, headers });
  await app.close();
  expect(body).not.toContain(secret);
  return statusCode;
}

test.each(['127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])(
  'without a secret %s is served',
  async (from) => {
    expect(await ask('', { from })).toBe(200);
  },
);

test.each(['10.0.0.7', '192.168.1.127', '::ffff:10.0.0.1', '2001:db8::1', '127.example'])(
  'without a secret %j is refused',
  async (from) => {
    expect(await ask('', { from, headers: peerHeaders(secret) })).toBe(401);
  },
);

test('with a secret only who shows exactly that is served, wherever it comes from', async () => {
  expect(await ask(secret, { from: '10.0.0.7', headers: peerHeaders(secret) })).toBe(200);
  expect(await ask(secret, { from: '127.0.0.1' })).toBe(401);
  for (const authorization of [
    `Bearer ${secret}x`,
    `Bearer ${secret.slice(0, -1)}`,
    'Bearer ',
    secret,
    `Basic ${secret}`,
  ])
    expect(await ask(secret, { from: '127.0.0.1', headers: { authorization } })).toBe(401);
});
