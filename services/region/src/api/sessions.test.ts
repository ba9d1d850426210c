/** How many requests wait for their sessions at once; what sessions promise is tested on real regions. */
import { parseRegionId } from '@isthmus/replication/ports/identity';
import type { SessionJudgement } from '@isthmus/replication/sessions/session';
import { expect, it } from 'vitest';
import { createListener } from '../http/listener.ts';
import { quietListener } from '../http/quiet-listener.ts';
import { ApiSessions, type SessionParts } from './sessions.ts';

const us = parseRegionId('us') ?? expect.fail('us is a region');
const life = { region: us, incarnation: { counter: 1, nonce: 1 } };
const waiting: SessionJudgement = { kind: 'waiting', missing: { ...life, partition: 3, lsn: 7n } };

/** Sessions by the name of their token: `there` is reached, all others once they are let go. */
function site() {
  const held: (() => void)[] = [];
  const named = new Map<object, string>();
  const desk: SessionParts = {
    parse: (token) => {
      const session = { issuer: life, vector: [], ahead: [] };
      named.set(session, token);
      return session;
    },
    reach: (session, waitMs) => {
      if (named.get(session) === 'there') return Promise.resolve({ kind: 'reached' });
      if (waitMs === 0) return Promise.resolve(waiting);
      return new Promise((resolve) => held.push(() => resolve({ kind: 'reached' })));
    },
    tokenOf: () => 'token',
    afterRead: () => Promise.resolve('token'),
    afterWrite: () => 'token',
  };
  const app = createListener(quietListener);
  new ApiSessions(desk).addTo(app);
  app.get('/', () => ({}));
  const get = async (token: string, wait = '10000') => {
    const headers = { 'isthmus-session': token, 'isthmus-wait': wait };
    const { statusCode, payload } = await app.inject({ url: '/', headers });
    return { status: statusCode, payload };
  };
  return { get, held };
}

it('beyond a bound nobody waits, who need not is served, and the places come free again', async () => {
  const { get, held } = site();
  const first = Array.from({ length: 256 }, () => get('far'));
  await expect.poll(() => held.length).toBe(256);
  const refused = await get('far');
  expect(refused).toMatchObject({ status: 503, payload: expect.stringContaining('waited for it for 0 ms') });
  expect((await get('there')).status).toBe(200);
  expect((await get('far', '0')).status).toBe(503);
  for (const go of held.splice(0)) go();
  expect(new Set((await Promise.all(first)).map(({ status }) => status))).toEqual(new Set([200]));
  const again = get('far');
  await expect.poll(() => held.length).toBe(1);
  for (const go of held) go();
  expect((await again).status).toBe(200);
});
