/**
 * The admin listener, for operators, probes, scrapers and peers. It listens apart from the public one, so that what it
 * shows never reaches callers of the API, and it answers while the process drains.
 */
import { type RegionId, parseRegionId } from '@isthmus/replication/ports/identity';
import type { PeerEcho } from '@isthmus/replication/ports/peer-client';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { collectionOf } from '../api/api-parts.ts';
import { checkKey } from '../api/names.ts';
import { pathParameter, queryParameter } from '../api/requests.ts';
import type { Drain } from '../drain.ts';
import { type Listener, type ListenerOptions, createListener } from '../http/listener.ts';
import { Problem } from '../problem.ts';
import { invalid } from '../records/field-edit.ts';
import { type ConflictParts, addConflictRoutes } from './conflict-routes.ts';
import { type DeadLetterParts, addDeadLetterRoutes } from './dead-letter-routes.ts';
import type { Digester } from './digest.ts';
import { type IdentityAdmin, addIdentityRoutes } from './identity-routes.ts';
import { type IncidentParts, addIncidentRoutes } from './incident-routes.ts';
import { refuseOtherPages } from './own-pages.ts';
import { type RawRecordParts, rawRecord } from './raw-record.ts';
import { type Readiness, isReady } from './readiness.ts';
import { type RegionAdmin, addRegionRoutes } from './region-routes.ts';
import { addReissueRoutes } from './reissue-routes.ts';
import { type RetirementAdmin, addRetirementRoutes } from './retirement-routes.ts';
import { type RightsParts, addRightsRoutes } from './rights-routes.ts';
import { type TransferAdmin, addTransferRoutes } from './transfer-routes.ts';
import { type UnreplicatedParts, addUnreplicatedRoutes } from './unreplicated-routes.ts';

/** What needs an open database; absent until then. */
export interface AdminParts
  extends ConflictParts,
    IncidentParts,
    DeadLetterParts,
    RawRecordParts,
    Pick<UnreplicatedParts, 'unreplicated'>,
    Pick<RightsParts, 'rights'> {
  readonly store: ConflictParts['store'] & RawRecordParts['store'];
  readonly digester: Digester;
  readonly transfers: TransferAdmin;
  readonly identity: IdentityAdmin;
  readonly whole: RegionAdmin;
  readonly retirement: RetirementAdmin;
  /** The body of `/v1/status`. */
  readonly status: () => Promise<object>;
  /** In the text format of Prometheus. */
  readonly metrics: () => Promise<string>;
  readonly echo: (caller: RegionId) => Promise<PeerEcho>;
}

export interface AdminOptions {
  readonly drain: Drain;
  readonly readiness: Readiness;
  /** `null` while the database has not been opened. */
  readonly parts: () => AdminParts | null;
}

const metricsMediaType = 'text/plain; version=0.0.4; charset=utf-8';

export function createAdminListener(options: ListenerOptions, admin: AdminOptions): Listener {
  const app = createListener(options);
  refuseOtherPages(app);
  addProbes(app, admin);
  addDrain(app, admin.drain);
  addViews(app, () => openParts(admin));
  addIdentityRoutes(app, () => openParts(admin).identity);
  addRegionRoutes(app, () => openParts(admin).whole);
  addTransferRoutes(app, () => openParts(admin).transfers);
  addRetirementRoutes(app, () => openParts(admin).retirement);
  addUnreplicatedRoutes(app, () => openParts(admin));
  addReissueRoutes(app, () => openParts(admin), admin.drain);
  addRightsRoutes(app, () => openParts(admin), admin.drain);
  addConflictRoutes(app, () => openParts(admin), admin.drain);
  addIncidentRoutes(app, () => openParts(admin));
  addDeadLetterRoutes(app, () => openParts(admin));
  return app;
}

function openParts(admin: AdminOptions): AdminParts {
  const parts = admin.parts();
  if (parts === null)
    throw new Problem('database-unavailable', 'The database has not been reached since the start.');
  return parts;
}

function addProbes(app: Listener, { readiness }: AdminOptions): void {
  app.get('/livez', (_request, reply) => text(reply, 'ok\n'));
  app.get('/readyz', (request, reply) => answerReady(readiness, request, reply));
}

async function answerReady(
  readiness: Readiness,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const checks = await readiness.check();
  const ready = isReady(checks);
  const summary = ready ? 'ok\n' : 'not ready\n';
  const verbose = queryParameter(request, 'verbose') !== null;
  const lines = checks.map(({ name, failure }) =>
    failure === null ? `[+] ${name} ok\n` : `[-] ${name} failed: ${failure}\n`,
  );
  return text(reply.status(ready ? 200 : 503), verbose ? lines.join('') + summary : summary);
}

function text(reply: FastifyReply, body: string): FastifyReply {
  return reply.type('text/plain; charset=utf-8').send(body);
}

function addDrain(app: Listener, drain: Drain): void {
  app.post('/v1/drain', (_request, reply) => {
    drain.start();
    return reply.status(202).send({ draining: true });
  });
}

function addViews(app: Listener, parts: () => AdminParts): void {
  app.get('/metrics', (_request, reply) => answerMetrics(parts(), reply));
  app.get('/v1/status', () => parts().status());
  app.get('/v1/echo', (request) => parts().echo(callerOf(request)));
  app.get('/v1/digests/:collection', (request) => {
    const collection = pathParameter(request, 'collection');
    return parts().digester.digest(collection, collectionOf(parts(), collection));
  });
  app.get('/v1/records/:collection/:key', (request) => inspectRecord(parts(), request));
}

async function answerMetrics(parts: AdminParts, reply: FastifyReply): Promise<FastifyReply> {
  return reply.type(metricsMediaType).send(await parts.metrics());
}

async function inspectRecord(parts: AdminParts, request: FastifyRequest): Promise<unknown> {
  const collection = pathParameter(request, 'collection');
  const key = checkKey(pathParameter(request, 'key'), 'key');
  return rawRecord(parts, { collection, key }, collectionOf(parts, collection));
}

function callerOf(request: FastifyRequest): RegionId {
  const name = queryParameter(request, 'region') ?? '';
  const region = parseRegionId(name);
  if (region !== null) return region;
  throw invalid('region', {
    rule: 'region',
    limit: null,
    value: name.slice(0, 64),
    what: "takes the caller's region",
  });
}
