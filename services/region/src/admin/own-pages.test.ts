/** Pages of other sites command no region through the browser of an operator; programs and own pages do. */
import { expect, test } from 'vitest';
import { Drain } from '../drain.ts';
import { quietListener } from '../http/quiet-listener.ts';
import { createAdminListener } from './admin-listener.ts';
import { Readiness } from './readiness.ts';

const host = '127.0.0.1:8081';

/** Whether a request with these headers drains the process. */
async function drains(headers: Readonly<Record<string, string>>): Promise<readonly [number, boolean]> {
  const drain = new Drain();
  const readiness = new Readiness({ drain, askDatabase: () => null, timeoutMs: 100 });
  const app = createAdminListener(quietListener, { drain, readiness, parts: () => null });
  const { statusCode } = await app.inject({
    method: 'POST',
    url: '/v1/drain',
    headers: { host, ...headers },
  });
  await app.close();
  return [statusCode, drain.draining];
}

test.each([
  [{ origin: 'https://elsewhere.example' }],
  [{ origin: 'null' }],
  [{ origin: 'http://127.0.0.1:9999' }],
  [{ origin: `http://${host}`, 'sec-fetch-site': 'cross-site' }],
  [{ origin: `http://${host}`, 'sec-fetch-site': 'same-site' }],
  [{ 'sec-fetch-site': 'cross-site' }],
])('%o: refused', async (headers) => {
  expect(await drains(headers)).toEqual([403, false]);
});

test.each([
  [{}],
  [{ origin: `http://${host}` }],
  [{ origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }],
  [{ origin: 'https://behind-a-proxy.example', 'sec-fetch-site': 'same-origin' }],
  [{ 'sec-fetch-site': 'none' }],
])('%o: taken', async (headers) => {
  const [status, isDraining] = await drains(headers);
  expect(status).toBeLessThan(300);
  expect(isDraining).toBe(true);
});
