/**
 * One region's public and admin listeners over a real Postgres and the real journal, without a peer: what a caller
 * sees, and a way for changes of other regions to arrive.
 */
import { expect } from 'vitest';
import { randomUUID } from 'node:crypto';
import { AgendaWatch } from '@isthmus/replication/agenda-watch';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { merge, type Schema } from '@isthmus/conflict';
import { yjsText } from '@isthmus/conflict/text';
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { createAdminListener } from '@isthmus/region/admin/admin-listener';
import { Digester } from '@isthmus/region/admin/digest';
import { Readiness } from '@isthmus/region/admin/readiness';
import { createApiListener } from '@isthmus/region/api/api-listener';
import { type Declarations, parseDeclarations } from '@isthmus/region/declarations';
import { Drain } from '@isthmus/region/drain';
import type { FoundPeer } from '@isthmus/region/peer-actors';
import { recordTypes } from '@isthmus/region/records/record-types';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { ReplicationError } from '@isthmus/replication/errors';
import { Draining } from '@isthmus/replication/guard/draining';
import { Journal } from '@isthmus/replication/journal/journal';
import { type Actor, actorOf, parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import { SessionDesk } from '@isthmus/replication/sessions/session-desk';
import { Agreeing } from '@isthmus/replication/tombstones/agreeing';
import { Donor } from '@isthmus/replication/transfer/donor';
import { quietListener } from '@isthmus/region/http/quiet-listener';
import { z } from 'zod';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

export const record = z.object({
  collection: z.string(),
  key: z.string(),
  value: z.record(z.string(), z.unknown()),
  version: z.string(),
  updatedAt: z.iso.datetime(),
  conflicts: z.array(z.string()),
  siblings: z
    .record(
      z.string(),
      z.array(z.object({ value: z.unknown(), at: z.iso.datetime(), region: z.string(), shown: z.boolean() })),
    )
    .optional(),
});

const problem = z.object({
  code: z.string(),
  detail: z.string(),
  have: z.number().optional(),
  need: z.number().optional(),
  violations: z.array(
    z.object({ field: z.string(), rule: z.string(), limit: z.unknown(), value: z.unknown() }),
  ),
});

export const valueOf = (answer: Answer) => record.parse(answer.body).value;
export const problemOf = (answer: Answer) => problem.parse(answer.body);
export const codeOf = (answer: Answer) => problemOf(answer).code;

type Edit = Parameters<Schema['edit']>[2];

export const usActor = 'us.1.00000001';

export class Site {
  readonly postgres: Postgres;
  readonly database: Database;
  readonly apiUrl: string;
  readonly adminUrl: string;
  readonly #close: () => Promise<void>;
  #tests = 0;

  constructor(parts: {
    postgres: Postgres;
    database: Database;
    apiUrl: string;
    adminUrl: string;
    close: () => Promise<void>;
  }) {
    this.postgres = parts.postgres;
    this.database = parts.database;
    this.apiUrl = parts.apiUrl;
    this.adminUrl = parts.adminUrl;
    this.#close = parts.close;
  }

  /** Under which the region writes. */
  get actor(): Actor {
    const { region, incarnation } = this.database.identity;
    return actorOf(region, incarnation);
  }

  /** Keys of one test are apart from those of others. */
  nextTest(): void {
    this.#tests++;
  }

  get prefix(): string {
    return `t${this.#tests}-`;
  }

  path(key: string, collection = 'products'): string {
    return `/v1/collections/${collection}/records/${encodeURIComponent(this.prefix + key)}`;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(this.apiUrl + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  }

  get(key: string, collection = 'products'): Promise<Answer> {
    return this.call('GET', this.path(key, collection));
  }

  put(key: string, value: unknown, collection = 'products'): Promise<Answer> {
    return this.call('PUT', this.path(key, collection), { value });
  }

  patch(key: string, edits: unknown, collection = 'products'): Promise<Answer> {
    return this.call('PATCH', this.path(key, collection), edits);
  }

  /** A request to the admin listener. */
  async ask(target: string, method = 'GET'): Promise<{ readonly status: number; readonly text: string }> {
    const response = await fetch(this.adminUrl + target, { method });
    return { status: response.status, text: await response.text() };
  }

  /** What region us wrote arrives; it has seen nothing of ours unless it is told to start from our state. */
  async arrive(
    key: string,
    { type, edit, seen = false }: { readonly type: Schema; readonly edit: Edit; readonly seen?: boolean },
  ): Promise<void> {
    const id = { collection: 'products', key: this.prefix + key };
    const now = Math.floor(this.database.clock.nowMs()) + 1000;
    await this.database.records.commitLocal({
      ids: [id],
      decide: ({ states }) => {
        const state = states[0] ?? new Uint8Array();
        const before = seen ? state : new Uint8Array();
        const { delta } = type.edit(before, { actor: usActor, floor: 0, now }, edit);
        return [{ index: 0, state: merge(state, delta).state, delta }];
      },
    });
  }

  async stop(): Promise<void> {
    await this.#close();
    await this.database.close();
    await this.postgres.stop();
  }
}

/** Region eu with two peers: us has been heard, ap has not. */
export async function startSite(collections: unknown, drain = new Drain()): Promise<Site> {
  const declarations = declared(collections);
  const postgres = await startPostgres();
  const region = regionId('eu');
  const database = await openDatabase({
    connectionString: postgres.url,
    region,
    peers: [],
    trustsRestarts: true,
  });
  const { records: store, clock, identity } = database;
  const actor = actorOf(region, identity.incarnation);
  const timer = systemTimer;
  const nobodyElse = {
    self: actorOf(database.identity.region, database.identity.incarnation),
    closed: new Set<never>(),
    actorOf: () => null,
  };
  const journal = new Journal({
    store,
    clock,
    actor,
    timer,
    maxWaitingEdits: 1000,
    paceMs: () => 0,
    onBatch: () => undefined,
  });
  const types = recordTypes(declarations, yjsText);
  const api = createApiListener(quietListener, {
    collections: types,
    store,
    journal,
    guards: { check: () => undefined },
    peers: { find: findPeer },
    writers: nobodyElse,
    sessions: new SessionDesk({ self: identity, store: database.sessions, key: Buffer.alloc(0), timer }),
    drain,
  });
  const readiness = new Readiness({ drain, askDatabase: () => clock.calibrate(), timeoutMs: 1000 });
  readiness.opened();
  const digester = new Digester({ store, clock });
  const { log: logger } = quietListener;
  const agenda = new AgendaWatch({ store: database.agenda, timer, logger });
  const donor = new Donor({
    self: identity,
    store: database.transfers,
    timer: systemTimer,
    logger: quietListener.log,
    newName: randomUUID,
  });
  const admin = createAdminListener(quietListener, {
    drain,
    readiness,
    parts: () => ({
      region: database.identity.region,
      peers: [],
      partitionCount: database.identity.partitionCount,
      guards: { check: () => undefined },
      clock,
      incidents: database.incidents,
      deadLetters: database.deadLetters,
      retrying: { letters: database.deadLetters, clock, maxDriftMs: 60_000 },
      collections: types,
      journal,
      store,
      digester,
      transfers: {
        donor,
        jobs: database.jobs,
        verifications: database.verifications,
        secret: '',
        peers: [regionId('us')],
      },
      identity: {
        self: identity,
        past: database.past,
        guard: null,
        incarnations: database.incarnations,
        relearning: () => null,
        retirement: { isRetired: false },
        joining: { waitsFor: [], notNamedBy: [], skip: () => Promise.resolve() },
      },
      retirement: {
        self: identity.region,
        peers: [regionId('us')],
        retirements: database.retirements,
        incarnations: database.incarnations,
        agreeing: new Agreeing({
          region: identity.region,
          peers: [regionId('us')],
          store: database.retirements,
          witness: { wordOf: () => Promise.resolve(null) },
          logger: quietListener.log,
        }),
        retirement: { isRetired: false },
      },
      rights: {
        self: identity,
        incarnations: database.incarnations,
        transfers: database.transfers,
        retirements: database.retirements,
        writers: nobodyElse,
        peers: [],
        peer: { ask: () => expect.fail('nobody is asked here') },
        timer: systemTimer,
      },
      whole: {
        self: identity,
        peers: [regionId('us')],
        peer: { ask: (peer) => Promise.reject(unreachable(peer)) },
        store: database.transfers,
        incarnations: database.incarnations,
        identity: {
          self: identity,
          past: database.past,
          guard: { state: { kind: 'proven' }, renew: () => expect.fail('no incarnation is wanted here') },
          incarnations: database.incarnations,
          relearning: () => null,
          retirement: { isRetired: false },
          joining: { waitsFor: [], notNamedBy: [], skip: () => Promise.resolve() },
        },
        past: database.past,
        beats: database.beats,
        closed: () => [],
        draining: new Draining({ store: database.drains, agenda, timer, logger }),
        drains: database.drains,
        refills: database.refills,
        timer: systemTimer,
      },
      unreplicated: {
        self: identity,
        peers: [],
        store: database.transfers,
        incarnations: database.incarnations,
        drains: database.drains,
        retirement: { isRetired: false },
        log: { subscribe: () => expect.fail('nothing reads the own log here') },
        witness: { finalOf: () => Promise.resolve(null) },
        peer: { ask: () => expect.fail('nobody is asked here') },
        beats: database.beats,
        timer: systemTimer,
      },
      status: () => Promise.resolve({}),
      metrics: () => Promise.resolve(''),
      echo: () => Promise.resolve({ echoedBeat: null, changesAgeMs: null, written: null, namesCaller: true }),
    }),
  });
  const listenOn = { host: '127.0.0.1', port: 0 };
  const [apiUrl, adminUrl] = await Promise.all([api.listen(listenOn), admin.listen(listenOn)]);
  const close = async () => {
    await Promise.all([api.close(), admin.close(), donor.close()]);
  };
  return new Site({ postgres, database, apiUrl, adminUrl, close });
}

function declared(collections: unknown): Declarations {
  const parsed = parseDeclarations(JSON.stringify({ collections }));
  if (parsed.kind === 'faulty') throw new TypeError(parsed.faults.join('\n'));
  return parsed.declarations;
}

function unreachable(peer: RegionId): ReplicationError {
  return new ReplicationError('peer-unavailable', `${peer} does not answer`, { retriable: true });
}

function regionId(name: string): RegionId {
  const region = parseRegionId(name);
  if (region === null) throw new TypeError(`${name} is no region`);
  return region;
}

function findPeer(name: string): FoundPeer {
  const [us, ap] = [regionId('us'), regionId('ap')];
  if (name === us) return { kind: 'known', actor: actorOf(us, { counter: 1, nonce: 1 }) };
  return name === ap ? { kind: 'unheard' } : { kind: 'none', peers: [us, ap] };
}
