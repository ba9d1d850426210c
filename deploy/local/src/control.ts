/**
 * The control address of a running demo: faults on demand, over HTTP, for tests and for people.
 * `GET /links` and `POST /links` show and set the state of links; `GET /processes` and `POST /processes`
 * show, strike and start servers. An answer comes when what was asked for has happened. Whatever is wrong with a request is
 * said as a problem document that names the field and what it takes; nothing is half done. It listens on
 * the loopback address alone and has no credentials, so it must never be bound elsewhere.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Cluster } from './cluster.ts';
import {
  type ControlAnswer,
  type ControlProblem,
  listProcesses,
  problem,
  setLink,
  strikeProcess,
} from './control-requests.ts';
import { LocalError } from './errors.ts';
import { findFreePort, releasePort } from './free-port.ts';

const bodyLimitBytes = 16 * 1024;
const requestTimeoutMs = 120_000;

export interface Control {
  readonly address: string;
  readonly close: () => Promise<void>;
}

type Route = (cluster: Cluster, body: unknown) => ControlAnswer | Promise<ControlAnswer>;

const routes: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/links': {
    GET: (cluster) => ({ status: 200, body: { links: cluster.links.all.map((link) => link.report()) } }),
    POST: setLink,
  },
  '/processes': { GET: listProcesses, POST: strikeProcess },
};

export async function startControl(cluster: Cluster): Promise<Control> {
  const port = await findFreePort();
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    answer(cluster, request)
      .catch(unexpected)
      .then((given) => send(response, given))
      .catch(() => response.destroy());
  });
  server.listen({ port, host: '127.0.0.1', exclusive: true });
  await once(server, 'listening');
  return {
    address: `http://127.0.0.1:${port}`,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
      releasePort(port);
    },
  };
}

async function answer(cluster: Cluster, request: IncomingMessage): Promise<ControlAnswer> {
  // No page belongs to it, and a browser would let any page send it commands.
  if (request.headers.origin !== undefined)
    return problem({ status: 403, code: 'cross-origin', detail: 'Web pages are not answered' });
  const path = new URL(request.url ?? '/', 'http://control').pathname;
  const methods = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (methods === undefined) {
    return problem({
      status: 404,
      code: 'not-found',
      detail: `The paths are ${Object.keys(routes).join(', ')}`,
    });
  }
  const method = request.method ?? '';
  const route = Object.hasOwn(methods, method) ? methods[method] : undefined;
  if (route === undefined) {
    const allowed = Object.keys(methods).join(', ');
    return problem({ status: 405, code: 'method-not-allowed', detail: `${path} takes ${allowed}` });
  }
  if (method === 'GET') return route(cluster, undefined);
  const body = await readBody(request);
  return 'refusal' in body ? problem(body.refusal) : route(cluster, body.json);
}

async function readBody(
  request: IncomingMessage,
): Promise<{ readonly json: unknown } | { readonly refusal: ControlProblem }> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue;
    length += part.length;
    if (length <= bodyLimitBytes) parts.push(part);
  }
  if (length > bodyLimitBytes) {
    const detail = `The body has ${length} bytes; it takes at most ${bodyLimitBytes}`;
    return { refusal: { status: 413, code: 'body-too-large', detail } };
  }
  try {
    return { json: JSON.parse(Buffer.concat(parts).toString('utf8')) };
  } catch {
    const detail = 'The body is not JSON; it takes an object';
    return { refusal: { status: 400, code: 'malformed-json', detail } };
  }
}

/** A server that does not come up is no fault of the request. */
function unexpected(error: unknown): ControlAnswer {
  if (!(error instanceof LocalError)) throw error;
  const detail = `${error.message}. ${error.remedy}`;
  return problem({ status: error.code === 'server-not-ours' ? 409 : 503, code: error.code, detail });
}

function send(response: ServerResponse, given: ControlAnswer): void {
  const type = given.status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(given.status, { 'content-type': `${type}; charset=utf-8` });
  response.end(`${JSON.stringify(given.body)}\n`);
}
