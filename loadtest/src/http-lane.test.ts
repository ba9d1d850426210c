/** The small HTTP client against a real server and against answers in pieces. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { LoadError } from './errors.ts';
import { HttpLanes, parseAnswer } from './http-lane.ts';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

async function lanesTo(
  answer: (body: string) => { readonly status: number; readonly body: string },
): Promise<{ readonly lanes: HttpLanes; readonly sockets: () => number }> {
  let sockets = 0;
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { status, body } = answer(Buffer.concat(parts).toString());
      response.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body);
    });
  });
  server.on('connection', () => sockets++);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address: AddressInfo | string | null = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  const lanes = new HttpLanes(`http://127.0.0.1:${port}`, 3);
  closers.push(
    () => lanes.close(),
    () => server.close(),
  );
  return { lanes, sockets: () => sockets };
}

it('carries many requests over few connections', async () => {
  const bodies: string[] = [];
  const { lanes, sockets } = await lanesTo((body) => {
    bodies.push(body);
    return { status: 200, body: 'é'.repeat(40_000) };
  });
  await Promise.all(Array.from({ length: 40 }, (_, index) => lanes.send('PUT', '/x', { index })));
  expect(bodies.map((body) => JSON.parse(body).index).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 40 }, (_, index) => index),
  );
  expect(sockets()).toBe(3);
});

it('rejects with the status and the problem of a refusal, and goes on', async () => {
  let status = 422;
  const { lanes } = await lanesTo(() => ({ status, body: '{"code":"invalid-value"}' }));
  await expect(lanes.send('PUT', '/x', {})).rejects.toThrow(/422 .*invalid-value/);
  status = 200;
  await lanes.send('PUT', '/x', {});
});

it('fails what waits for an answer when the server is gone', async () => {
  const server = createServer((request) => request.socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const lanes = new HttpLanes(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, 1);
  closers.push(
    () => lanes.close(),
    () => server.close(),
  );
  await expect(lanes.send('PUT', '/x', {})).rejects.toMatchObject({ code: 'connection-lost' });
});

it('waits for whole answers and refuses what it does not understand', () => {
  const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
  for (let length = 0; length < answer.length; length++) {
    expect(parseAnswer(Buffer.from(answer.slice(0, length)))).toBeNull();
  }
  expect(parseAnswer(Buffer.from(`${answer}HTTP`))).toMatchObject({ endsAt: answer.length });
  expect(parseAnswer(Buffer.from('HTTP/1.1 204 No Content\r\n\r\n'))).toMatchObject({
    answer: { status: 204 },
  });
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(parseAnswer(Buffer.from(chunked))).toBeInstanceOf(LoadError);
});
