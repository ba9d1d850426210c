/** One region as its users and its operators see it, over HTTP; every call is bounded in time. */
import { z } from 'zod';
import type { Result } from '../checkers/history.ts';

export interface Endpoints {
  readonly region: string;
  readonly api: string;
  readonly admin: string;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  /** The header `Retry-After`. */
  readonly retryAfter: string | null;
}

const peerStatus = z.object({
  region: z.string(),
  link: z.string(),
  lagSeconds: z.number().nullable(),
  backlogChanges: z.number().nullable(),
  rpoSeconds: z.number().nullable(),
  rpoChanges: z.number().nullable(),
  verifiedThrough: z.string().nullable(),
  diverged: z.boolean().nullable(),
});

const status = z.object({
  region: z.string(),
  ready: z.boolean(),
  peers: z.array(peerStatus),
  gaps: z.number().nullable(),
  transfers: z.number().nullable(),
  deadLetters: z.unknown(),
  givenUpDeadLetters: z.record(z.string(), z.number()).nullable(),
  refusedRecords: z.array(
    z.object({ region: z.string(), topic: z.string(), cause: z.string(), count: z.number() }),
  ),
  tombstones: z.object({
    count: z.number().nullable(),
    completed: z.number().nullable(),
    openSeconds: z.number().nullable(),
    waitingFor: z.array(z.string()).nullable(),
  }),
  incidents: z.object({ open: z.number().nullable() }),
});

const incident = z.object({
  id: z.string(),
  peer: z.string(),
  state: z.string(),
  splitBrain: z.boolean().nullable(),
  startedAt: z.iso.datetime(),
  endedAt: z.iso.datetime().nullable(),
  durationSeconds: z.number().nullable(),
  writes: z.record(z.string(), z.number().nullable()),
  conflictCount: z.number(),
});

const fullIncident = incident.extend({
  conflicts: z.array(z.object({ collection: z.string(), key: z.string(), fields: z.number() })),
  digests: z.record(z.string(), z.record(z.string(), z.string())).nullable(),
});

const deadLetter = z.object({
  id: z.string(),
  origin: z.string(),
  collection: z.string(),
  key: z.string(),
  cause: z.string(),
  detail: z.string(),
});

const page = z.object({
  records: z.array(z.object({ key: z.string(), value: z.record(z.string(), z.unknown()) })),
  next: z.string().nullable(),
});

const conflict = z.object({
  id: z.string(),
  field: z.string(),
  siblings: z.array(
    z.object({
      value: z.unknown(),
      at: z.string(),
      region: z.string(),
      actor: z.string(),
      shown: z.boolean(),
      why: z.string(),
    }),
  ),
});

const conflictPage = z.object({ conflicts: z.array(conflict), next: z.string().nullable() });

const digest = z.object({ digest: z.string(), asOf: z.iso.datetime() });
const problem = z.object({ code: z.string() });

export type PeerStatus = z.infer<typeof peerStatus>;
type Conflict = z.infer<typeof conflict>;
export type Status = z.infer<typeof status>;
type Incident = z.infer<typeof incident>;
type FullIncident = z.infer<typeof fullIncident>;
type DeadLetter = z.infer<typeof deadLetter>;

const timeoutMs = 10_000;

export class RegionClient {
  readonly region: string;
  readonly #api: string;
  readonly #admin: string;

  constructor(endpoints: Endpoints) {
    this.region = endpoints.region;
    this.#api = endpoints.api;
    this.#admin = endpoints.admin;
  }

  get(collection: string, key: string): Promise<Reply> {
    return this.#call('GET', this.#record(collection, key));
  }

  put(collection: string, key: string, value: unknown): Promise<Reply> {
    return this.#call('PUT', this.#record(collection, key), { value });
  }

  patch(collection: string, key: string, edits: unknown): Promise<Reply> {
    return this.#call('PATCH', this.#record(collection, key), edits);
  }

  delete(collection: string, key: string): Promise<Reply> {
    return this.#call('DELETE', this.#record(collection, key));
  }

  batch(writes: readonly unknown[]): Promise<Reply> {
    return this.#call('POST', `${this.#api}/v1/batch`, { writes });
  }

  /** Every record of a collection, page by page. */
  async list(collection: string): Promise<ReadonlyMap<string, Record<string, unknown>>> {
    const found = new Map<string, Record<string, unknown>>();
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const reply = await this.#call(
        'GET',
        `${this.#api}/v1/collections/${collection}/records?limit=1000${query}`,
      );
      const { records, next } = page.parse(reply.body);
      for (const { key, value } of records) found.set(key, value);
      cursor = next;
    } while (cursor !== null);
    return found;
  }

  async status(): Promise<Status> {
    return status.parse((await this.#call('GET', `${this.#admin}/v1/status`)).body);
  }

  async peer(region: string): Promise<PeerStatus> {
    const peer = (await this.status()).peers.find((candidate) => candidate.region === region);
    if (peer === undefined) throw new Error(`${this.region} does not list ${region}`);
    return peer;
  }

  async incidents(include?: 'windows'): Promise<readonly Incident[]> {
    const query = include === undefined ? '' : `?include=${include}`;
    const { body } = await this.#call('GET', `${this.#admin}/v1/incidents${query}`);
    return z.object({ incidents: z.array(incident) }).parse(body).incidents;
  }

  async incident(id: string): Promise<FullIncident> {
    return fullIncident.parse((await this.#call('GET', `${this.#admin}/v1/incidents/${id}`)).body);
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    const { body } = await this.#call('GET', `${this.#admin}/v1/dead-letters`);
    return z.object({ deadLetters: z.array(deadLetter) }).parse(body).deadLetters;
  }

  retryDeadLetter(id: string, dryRun: boolean): Promise<Reply> {
    const query = dryRun ? '?dryRun=true' : '';
    return this.#call('POST', `${this.#admin}/v1/dead-letters/${id}/retry${query}`);
  }

  discardDeadLetter(id: string, how: { readonly reason: string; readonly dryRun: boolean }): Promise<Reply> {
    const { reason, dryRun } = how;
    const url = `${this.#admin}/v1/dead-letters/${id}/discard?dryRun=${dryRun}`;
    return this.#call('POST', url, { reason });
  }

  async digest(collection: string): Promise<string> {
    const reply = await this.#call('GET', `${this.#admin}/v1/digests/${collection}`);
    return digest.parse(reply.body).digest;
  }

  /** The conflicts of one record. */
  async conflicts(collection: string, key: string): Promise<readonly Conflict[]> {
    const url = `${this.#admin}/v1/conflicts?collection=${collection}&key=${encodeURIComponent(key)}`;
    const { conflicts, next } = conflictPage.parse((await this.#call('GET', url)).body);
    if (next !== null) throw new Error(`${key} has more conflicts than one page`);
    return conflicts;
  }

  restore(conflictId: string, sibling: { readonly region: string }): Promise<Reply> {
    return this.#call('POST', `${this.#admin}/v1/conflicts/${conflictId}/restore`, sibling);
  }

  /** Milliseconds since 1970 by the clock of the region's database. */
  async clockMs(): Promise<number> {
    const reply = await this.#call('GET', `${this.#admin}/v1/digests/profiles`);
    return Date.parse(digest.parse(reply.body).asOf);
  }

  /** Asks for a sweep of every peer. */
  async sweep(): Promise<void> {
    const { status: answered } = await this.#call('POST', `${this.#admin}/v1/sweep`);
    if (answered !== 202) throw new Error(`${this.region} answered ${answered} to a sweep`);
  }

  async isReady(): Promise<boolean> {
    return (await this.#page('/readyz')).status === 200;
  }

  async metrics(): Promise<string> {
    return (await this.#page('/metrics')).text();
  }

  #page(path: string): Promise<Response> {
    return fetch(`${this.#admin}${path}`, { signal: AbortSignal.timeout(timeoutMs) });
  }

  #record(collection: string, key: string): string {
    return `${this.#api}/v1/collections/${collection}/records/${encodeURIComponent(key)}`;
  }

  async #call(method: string, url: string, body?: unknown): Promise<Reply> {
    const response = await fetch(url, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    const retryAfter = response.headers.get('retry-after');
    return { status: response.status, body: text === '' ? null : JSON.parse(text), retryAfter };
  }
}

/** No connection came about, so nothing happened. */
export function isRefusedConnection(reason: unknown): boolean {
  const cause = reason instanceof Error ? reason.cause : null;
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED';
}

/** 4xx says that nothing happened; so do the 503s that refuse before anything is begun. */
export function resultOf(reply: Reply): Result {
  if (reply.status < 300) return 'ok';
  if (reply.status < 500) return 'fail';
  const code = problem.safeParse(reply.body).data?.code;
  const refused = code === 'database-unavailable' || code === 'draining' || code === 'overloaded';
  return reply.status === 503 && refused ? 'fail' : 'info';
}
