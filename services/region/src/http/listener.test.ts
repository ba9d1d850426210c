/** What the listener refuses before any route runs, over real connections. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { type AssertionFailure, ReplicationError, assert as holds } from '@isthmus/replication/errors';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Problem } from '../problem.ts';
import { type Listener, createListener } from './listener.ts';

const many = Array.from({ length: 500 }, (_, index) => {
  return { field: `writes[${index}]`, rule: 'budget', limit: { seconds: 5 }, value: { peers: 0 } };
});
const crashes: AssertionFailure[] = [];
const logged: string[] = [];
let app: Listener;
let url = '';

beforeAll(async () => {
  const log = pino({ level: 'debug' }, { write: (line: string) => logged.push(line) });
  app = createListener({
    region: 'eu',
    log,
    crash: (failure) => crashes.push(failure),
    maxConnections: 100,
    headersTimeoutMs: 200,
    stallTimeoutMs: 1500,
    requestTimeoutMs: 400,
    isDraining: () => false,
  });
  app.get('/thing/:key', (request) => request.params);
  app.put('/thing/:key', (request) => ({ body: request.body ?? null }));
  app.get('/large/:key', () => 'x'.repeat(16 * 1024 * 1024));
  app.put('/late/:key', () => pause(500, { done: true }));
  app.post('/fail/:how', (request) => {
    const how = Object.values(request.params ?? {})[0];
    holds(how !== 'assert', 'secret-of-the-house');
    if (how === 'known')
      throw new ReplicationError('outcome-unknown', 'SELECT secret FROM house', { retriable: false });
    if (how === 'full') throw new Problem('overloaded', 'too much to do here', { violations: many });
    throw new TypeError('secret-of-the-house at /srv/path');
  });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => app.close());

/** Sends raw bytes and returns all that comes back until the connection ends. */
async function raw(text: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(chunks).toString();
}

const put = (body: string, type = 'application/json') =>
  fetch(`${url}/thing/a`, { method: 'PUT', body, headers: { 'content-type': type } });

const problemShape = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.number(),
  detail: z.string(),
  code: z.string(),
  instance: z.string(),
  violations: z.array(z.unknown()),
});

async function problem(response: Response): Promise<z.infer<typeof problemShape>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(response.headers.get('isthmus-region')).toBe('eu');
  const body = problemShape.parse(await response.json());
  expect(body.status).toBe(response.status);
  expect(body.type).toBe(`/problems/${body.code}`);
  expect(body.instance).toBe(response.headers.get('request-id'));
  return body;
}

describe('answers', () => {
  it('carry region and a request id of their own', async () => {
    const first = await fetch(`${url}/thing/a`);
    const second = await fetch(`${url}/thing/a`);
    expect(first.headers.get('isthmus-region')).toBe('eu');
    expect(first.headers.get('request-id')).not.toBe(second.headers.get('request-id'));
  });

  it.each([
    ['a', 'a'],
    ['a%2Fb', 'a/b'],
    ['a%252Fb', 'a%2Fb'],
    ['%F0%9F%8C%8D', '🌍'],
    ['a%3Fb%23c%25', 'a?b#c%'],
    ['a+b', 'a+b'],
    ['a;b', 'a;b'],
    ['%2e%2e%2f', '../'],
    ['__proto__', '__proto__'],
  ])('decode the path segment %s once', async (segment, key) => {
    const socket = await raw(`GET /thing/${segment} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(socket).toContain(JSON.stringify({ key }));
  });
});

describe('refusals', () => {
  it.each([
    ['a path of none', 'GET', '/nothing', 404, 'not-found'],
    ['a trailing slash', 'GET', '/thing/a/', 404, 'not-found'],
    ['another case', 'GET', '/THING/a', 404, 'not-found'],
    ['a bad escape', 'GET', '/thing/%zz', 400, 'invalid-key'],
    ['an escape that is not UTF-8', 'GET', '/thing/%ff', 400, 'invalid-key'],
    ['a bare #', 'GET', '/thing/a#b', 400, 'invalid-key'],
    ['a segment too long', 'GET', `/thing/${'a'.repeat(5000)}`, 400, 'invalid-key'],
    ['HEAD', 'HEAD', '/thing/a', 405, 'method-not-allowed'],
    ['an unusual method', 'PROPFIND', '/thing/a', 405, 'method-not-allowed'],
    ['OPTIONS', 'OPTIONS', '/thing/a', 405, 'method-not-allowed'],
    ['TRACE', 'TRACE', '/thing/a', 405, 'method-not-allowed'],
    ['a method on a whole address', 'DELETE', 'http://x/thing/a', 405, 'method-not-allowed'],
    ['a record path without a key', 'GET', '/v1/collections/c/records/', 400, 'invalid-key'],
  ])('for %s', async (_name, method, path, status, code) => {
    const answer = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer.toLowerCase()).toContain('isthmus-region: eu');
    expect(answer.toLowerCase()).toContain('request-id: ');
    if (method !== 'HEAD') expect(answer).toContain(`"code":"${code}"`);
    if (status === 405) expect(answer.toLowerCase()).toContain('allow: get, put');
  });

  it('for a request without a host, in the words of every refusal', async () => {
    const answer = await raw('GET /thing/a HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer.toLowerCase()).toContain('request-id: ');
    expect(answer).toContain('"code":"bad-request"');
    expect(await raw('GET /thing/a HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /);
  });

  it('for no expectation, which is passed over', async () => {
    const head = 'PUT /thing/a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: fairies\r\n';
    const answer = await raw(`${head}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`);
    expect(answer).toMatch(/^HTTP\/1.1 200 /);
    expect(answer.toLowerCase()).toContain('request-id: ');
  });

  it.each([
    ['plain text', '{}', 'text/plain', 415, 'unsupported-media-type'],
    ['another JSON', '{}', 'application/merge-patch+json', 415, 'unsupported-media-type'],
    ['another charset', '{}', 'application/json; charset=utf-16', 415, 'unsupported-media-type'],
    ['no media type', '{}', 'x', 415, 'unsupported-media-type'],
    ['not JSON', '{"a"', 'application/json', 400, 'malformed-json'],
    ['deep JSON', '['.repeat(100_000), 'application/json; charset="UTF-8"', 400, 'too-deep'],
    ['a large body', `"${'x'.repeat(1024 * 1024)}"`, 'application/json', 413, 'body-too-large'],
  ])('for a body that is %s', async (_name, body, type, status, code) => {
    const response = await put(body, type);
    expect(response.status).toBe(status);
    expect((await problem(response)).code).toBe(code);
  });

  it('for a large body of unannounced length', async () => {
    const chunk = `${(65536).toString(16)}\r\n${'x'.repeat(65536)}\r\n`;
    const answer = await raw(
      `PUT /thing/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}`,
    );
    expect(answer).toMatch(/^HTTP\/1.1 413 /);
    expect(answer).toContain('"code":"body-too-large"');
  });

  it.each([
    ['bytes that are not HTTP', 'hello\r\n\r\n', 400, 'bad-request'],
    ['a control character in the path', 'GET /thing/\u0001 HTTP/1.1\r\nHost: x\r\n\r\n', 400, 'bad-request'],
    ['headers without end', `GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}`, 431, 'headers-too-large'],
    ['headers that never end', 'GET / HTTP/1.1\r\nHost: x\r\n', 408, 'request-timeout'],
    [
      'a body that never ends',
      'PUT /thing/a HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
      408,
      'request-timeout',
    ],
  ])('for %s, and the connection ends', async (_name, text, status, code) => {
    const answer = await raw(text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain(`"code":"${code}"`);
  });
});

describe('connections', () => {
  const connectionCount = () =>
    new Promise<number>((resolve) => app.server.getConnections((_error, count) => resolve(count)));
  /** Whose other side keeps its half of the connection open. */
  const open = (text: string) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.resume().write(text);
    return socket;
  };

  it.each([
    ['sends nothing', ''],
    ['sends what is not HTTP', 'hello\r\n\r\n'],
    ['never ends its headers', 'GET / HTTP/1.1\r\nHost: x\r\n'],
  ])('whoever %s holds none for good', async (_name, text) => {
    const before = await connectionCount();
    const opened = Array.from({ length: 3 }, () => open(text));
    await expect.poll(connectionCount).toBeGreaterThan(before);
    await expect.poll(connectionCount, { timeout: 5000 }).toBeLessThanOrEqual(before);
    for (const socket of opened) socket.destroy();
  });

  it('whoever does not read the answer is cut', async () => {
    const before = await connectionCount();
    const socket = open('GET /large/a HTTP/1.1\r\nHost: x\r\n\r\n').pause();
    await expect.poll(connectionCount).toBeGreaterThan(before);
    await expect.poll(connectionCount, { timeout: 8000 }).toBeLessThanOrEqual(before);
    socket.destroy();
  }, 15_000);

  it('what follows a request that has no answer yet is not answered in its place', async () => {
    const answer = await raw('PUT /late/a HTTP/1.1\r\nHost: x\r\n\r\nthis is no request\r\n\r\n');
    expect(answer).toBe('');
  });
});

describe('faults of ours', () => {
  it('tell the caller an id and the log the rest', async () => {
    const response = await fetch(`${url}/fail/other`, { method: 'POST' });
    const body = await problem(response);
    expect(body.code).toBe('internal');
    expect(JSON.stringify(body)).not.toMatch(/secret|srv|Error/);
    expect(logged.find((line) => line.includes('/srv/path'))).toContain(body.instance);
  });

  it('hide what the engine said and say when to come back', async () => {
    const response = await fetch(`${url}/fail/known`, { method: 'POST' });
    expect(response.headers.get('retry-after')).toBe('1');
    const body = await problem(response);
    expect(body.code).toBe('outcome-unknown');
    expect(JSON.stringify(body)).not.toContain('SELECT');
  });

  it('are told apart in the log from what is refused on purpose, of which a line is short', async () => {
    const response = await fetch(`${url}/fail/full`, { method: 'POST' });
    const { instance, violations } = await problem(response);
    expect(violations).toHaveLength(500);
    const line = logged.find((each) => each.includes(instance) && each.includes('overloaded')) ?? '';
    expect(line).toMatch(/"level":40.*too much to do here/);
    expect(line.length).toBeLessThan(500);
  });

  it('end the process when an assertion fails', async () => {
    const response = await fetch(`${url}/fail/assert`, { method: 'POST' });
    expect((await problem(response)).code).toBe('internal');
    expect(crashes.map((failure) => failure.message)).toEqual(['secret-of-the-house']);
  });
});
