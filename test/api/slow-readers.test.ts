/** Callers who ask for much and read none of it: they are bounded in memory, and give their places back. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../until.ts';
import { type Site, codeOf, problemOf, startSite } from './site.ts';

let site: Site;
/** Of which JSON makes six times as much, so that no system's buffers take it off our hands. */
const title = '\u0001'.repeat(170 * 1024);
const records = Array.from({ length: 24 }, (_, index) => `large-${index}`);

beforeAll(async () => {
  site = await startSite({ products: { fields: { title: { type: 'register' } } } });
  for (const key of records) await site.put(key, { title });
  await site.put('small', { title: 'x' });
}, 120_000);

afterAll(() => site.stop());

function askAndReadNothing(): Socket {
  const { hostname, port } = new URL(site.apiUrl);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.pause().on('error', () => undefined);
  socket.write('GET /v1/collections/products/records HTTP/1.1\r\nHost: x\r\n\r\n');
  return socket;
}

it('no more are let in while answers that nobody takes hold too much', async () => {
  const sockets: Socket[] = [];
  const read = () => site.get('small');
  const refused = await until('callers are refused', 45_000, async () => {
    sockets.push(askAndReadNothing());
    const answer = await read();
    return answer.status === 503 && problemOf(answer).detail.includes('under way') && answer;
  });
  expect(codeOf(refused)).toBe('overloaded');
  expect(refused.headers.get('retry-after')).toBe('1');
  for (const socket of sockets) socket.destroy();
  await until('callers are served again', 10_000, async () => (await read()).status === 200);
}, 60_000);
