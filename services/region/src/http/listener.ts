/**
 * What both listeners of the process share: request ids, problem answers, JSON bodies within bounds, 404 and 405, and
 * time limits on whoever sends slowly. Every answer carries `Request-Id` and `Isthmus-Region`. A bad request never
 * becomes a 500; what does is a fault of ours, is logged with its cause, and tells the caller nothing but the id. An
 * assertion that fails is handed to `crash`, because the process must not go on.
 */
import { randomBytes } from 'node:crypto';
import { AssertionFailure, ReplicationError } from '@isthmus/replication/errors';
import Fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { ProblemCode } from '../problem-codes.ts';
import { Problem, problemBody, problemMediaType, problemOfFailure } from '../problem.ts';
import { AllowedMethods } from './allowed-methods.ts';
import { Connections } from './connections.ts';
import { maxBodyBytes, parseJsonBody } from './json-body.ts';

export interface ListenerOptions {
  readonly region: string;
  readonly log: Logger;
  /** Told of every failed assertion; expected to end the process. */
  readonly crash: (failure: AssertionFailure) => void;
  readonly maxConnections: number;
  /** A request whose headers are not complete after this is answered 408; a connection without any is cut. */
  readonly headersTimeoutMs: number;
  /** The same for the whole request with its body. */
  readonly requestTimeoutMs: number;
  /**
   * A connection with a request on which nothing moved for so long, because nobody reads the answer, is cut; longer than
   * any answer takes to make. 0: it is not.
   */
  readonly stallTimeoutMs: number;
  /** While true every answer asks the caller to go elsewhere with its next request. */
  readonly isDraining: () => boolean;
}

export type Listener = FastifyInstance;

/** Three characters of percent-encoding for each byte of the longest key, and room to tell it from a longer one. */
const maxParamLength = 4096;
const keepAliveTimeoutMs = 72_000;
const timeoutCheckMs = 1000;
const refusedForNow = 503;
const longestReason = 500;

export function createListener(options: ListenerOptions): Listener {
  const nextId = requestIds();
  const connections = new Connections(options.headersTimeoutMs);
  const log: FastifyBaseLogger = options.log;
  const app = Fastify({
    loggerInstance: log,
    genReqId: nextId,
    // A logger of its own for each request costs more than its routing; what is logged names the request itself.
    childLoggerFactory: (shared) => shared,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: maxBodyBytes,
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    keepAliveTimeout: keepAliveTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    connectionTimeout: options.stallTimeoutMs,
    http: {
      connectionsCheckingInterval: timeoutCheckMs,
      headersTimeout: options.headersTimeoutMs,
      // Node's own refusal is bare; `answerMissing` says what is missing.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength },
    frameworkErrors: (error, request, reply) => {
      mark(request, reply, options);
      sendProblem(request, reply, problemOf(error));
    },
    clientErrorHandler: (error, socket) => {
      connections.refuse(error, socket, () => ({ requestId: nextId(), region: options.region }));
    },
  });
  connections.watch(app.server);
  app.server.maxConnections = options.maxConnections;
  takeJsonOnly(app);
  markAnswers(app, options);
  answerMissing(app);
  answerErrors(app, options);
  return app;
}

/** Unique within the region's log: a random start for the process, then a count. */
function requestIds(): () => string {
  const start = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${start}-${(++count).toString(36)}`;
}

function takeJsonOnly(app: Listener): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      done(null, parseRequestBody(request, body));
    } catch (error) {
      done(error instanceof Error ? error : new Problem('internal', 'The body could not be read.'));
    }
  });
}

function refuseEncodedBody(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() === 'identity') return;
  throw new Problem('unsupported-media-type', 'Bodies are sent as they are; no Content-Encoding is read.');
}

const charsetPattern = /;\s*charset\s*=\s*"?([^";\s]*)/i;

/** An empty body is no body; the routes that need one refuse its absence. */
function parseRequestBody(request: FastifyRequest, body: string | Buffer): unknown {
  refuseEncodedBody(request);
  const charset = charsetPattern.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  if (charset.toLowerCase() !== 'utf-8')
    throw new Problem('unsupported-media-type', 'Bodies are JSON in UTF-8; another charset is not read.');
  return body.length === 0 ? undefined : parseJsonBody(typeof body === 'string' ? Buffer.from(body) : body);
}

function markAnswers(app: Listener, options: ListenerOptions): void {
  app.addHook('onRequest', (request, reply, done) => {
    mark(request, reply, options);
    done();
  });
  if (!options.log.isLevelEnabled('debug')) return;
  app.addHook('onResponse', (request, reply, done) => {
    // The pattern and not the path, because a key may name a person.
    const { id: requestId, method, routeOptions } = request;
    const { statusCode: status, elapsedTime: durationMs } = reply;
    options.log.debug({ requestId, method, route: routeOptions.url, status, durationMs }, 'answered');
    done();
  });
}

function mark(request: FastifyRequest, reply: FastifyReply, { region, isDraining }: ListenerOptions): void {
  void reply.header('request-id', request.id).header('isthmus-region', region);
  if (isDraining()) void reply.header('connection', 'close');
}

/** Paths and methods that no route takes, told before a body is read. */
function answerMissing(app: Listener): void {
  const allowed = new AllowedMethods();
  app.addHook('onRoute', (route) => {
    allowed.add(route.url, [route.method].flat());
  });
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.headers.host === undefined && request.raw.httpVersion === '1.1') done(noHost());
    else if (request.url.includes('#')) done(unencodedHash());
    else if (request.is404) done(missing(request, allowed));
    else done();
  });
  app.setNotFoundHandler((request, reply) => {
    sendProblem(request, reply, missing(request, allowed));
  });
}

function noHost(): Problem {
  return new Problem('bad-request', 'A request of HTTP/1.1 names its Host.');
}

function unencodedHash(): Problem {
  return new Problem('invalid-key', 'A "#" in a path is written %23.');
}

/** A proxy may ask with the whole address. */
const origin = /^https?:\/\/[^/?#]*/i;
const recordPath = /^\/v1\/(?:collections\/[^/]+\/)?records\/(?:[^/]*\/)*[^/]*$/;

function missing(request: FastifyRequest, allowed: AllowedMethods): Problem {
  const path = request.url.replace(origin, '').split('?', 1)[0] ?? '';
  const methods = allowed.of(path);
  if (methods.length > 0) {
    const detail = `${request.method} is not taken here; ${methods.join(', ')} ${methods.length > 1 ? 'are' : 'is'}.`;
    return new Problem('method-not-allowed', detail, { headers: { allow: methods.join(', ') } });
  }
  if (recordPath.test(path))
    return new Problem(
      'invalid-key',
      'A key is one path segment of at least one byte; "/" in it is written %2F.',
    );
  return new Problem('not-found', 'The path is none of this listener.');
}

function answerErrors(app: Listener, { log, crash }: ListenerOptions): void {
  app.setErrorHandler((error, request, reply) => {
    const problem = problemOf(error);
    sendProblem(request, reply, problem);
    if (problem.status >= 500) tellFailure(log, { requestId: request.id, code: problem.code }, error);
    if (!(error instanceof AssertionFailure)) return;
    log.fatal({ err: error }, 'an assertion failed');
    crash(error);
  });
}

/** What is refused on purpose comes by the thousand when there is too much of it, and its stack says nothing. */
function tellFailure(
  log: Logger,
  marks: { readonly requestId: string; readonly code: ProblemCode },
  error: unknown,
): void {
  if (error instanceof Problem && error.status === refusedForNow)
    log.warn({ ...marks, reason: error.message.slice(0, longestReason) }, 'request refused');
  else log.error({ ...marks, err: error }, 'request failed');
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): void {
  void reply
    .status(problem.status)
    .headers(problem.headers)
    .type(problemMediaType)
    .send(JSON.stringify(problemBody(problem, request.id)));
}

/** What the framework refuses by itself. */
const frameworkCodes: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['body-too-large', `A body has at most ${maxBodyBytes} bytes.`],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported-media-type', 'Send the body as application/json.'],
  FST_ERR_BAD_URL: ['invalid-key', 'The path is not percent-encoded UTF-8.'],
  FST_ERR_MAX_PARAM_LENGTH: ['invalid-key', 'A segment of the path is too long.'],
};

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof ReplicationError) return problemOfFailure(error);
  const { code, statusCode } = frameworkError(error);
  const known = frameworkCodes[code];
  if (known !== undefined) return new Problem(known[0], known[1], { cause: error });
  if (statusCode >= 400 && statusCode < 500)
    return new Problem('bad-request', 'The request could not be read.', { cause: error });
  return new Problem('internal', 'The region failed to answer.', { cause: error });
}

function frameworkError(error: unknown): { readonly code: string; readonly statusCode: number } {
  if (!(error instanceof Error)) return { code: '', statusCode: 500 };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const statusCode = 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500;
  return { code, statusCode };
}
