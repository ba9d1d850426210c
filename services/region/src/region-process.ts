/**
 * The life of the process: listeners up, database opened however long it takes to answer, traffic taken, and all of it
 * ended in order. Nothing acknowledged is lost at the end: writes that were taken in are answered, those that come
 * later are refused with `draining`, and what replication had begun the next process does again. A database that has
 * become another incarnation is opened again as that, under the same listeners.
 */
import { Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { ReplicationError } from '@isthmus/replication/errors';
import type { Logger } from 'pino';
import { type AdminParts, createAdminListener } from './admin/admin-listener.ts';
import { Readiness, isReady } from './admin/readiness.ts';
import { createApiListener } from './api/api-listener.ts';
import type { ApiParts } from './api/api-parts.ts';
import { switchedParts } from './api/switched-parts.ts';
import type { Config } from './config.ts';
import { Drain } from './drain.ts';
import type { Listener, ListenerOptions } from './http/listener.ts';
import { shutDown } from './shutdown.ts';

/** What opening the database yields. */
export interface Opened {
  readonly api: Omit<ApiParts, 'drain'>;
  readonly admin: AdminParts;
  /** The database has become another incarnation of its region: it has to be opened again as that (P9). */
  readonly isRenewed: () => boolean;
  /** One round trip to the database. */
  readonly askDatabase: () => Promise<void>;
  /** Whoever waits for something to arrive is answered now, because nobody could wait for them later. */
  readonly endWaits: () => void;
  /** Resolves when every write taken in has been answered. */
  readonly closeWrites: () => Promise<void>;
  readonly closeReplication: () => Promise<void>;
  readonly closeDatabase: () => Promise<void>;
}

export interface RegionProcessOptions {
  readonly config: Config;
  readonly log: Logger;
  readonly crash: (failure: unknown) => void;
  /** Rejects with `ReplicationError`; one that is retriable is tried again. */
  readonly open: (isReady: () => Promise<boolean>) => Promise<Opened>;
}

const openRetryMs = 500;
const lookMs = 100;
const readyTimeoutMs = 1000;
/** How long callers are still answered, and asked to go elsewhere, before the listener closes. */
const drainMs = 500;
/** For the request of a caller who was let in last. */
const arrivalMs = 250;
/** Longer than a write may wait for its turn, so that none that was not begun is cut and taken for one that was. */
const lingerMs = 4700;
const shutdownTimeoutMs = 8000;
const timeouts = { headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 };
/** A write may wait for its session, for its turn and for the disk; digests of operators may take minutes. */
const apiLimits = { maxConnections: 10_000, stallTimeoutMs: 60_000 } as const;
const adminLimits = { maxConnections: 256, stallTimeoutMs: 0 } as const;

export class RegionProcess {
  readonly #options: RegionProcessOptions;
  readonly #drain = new Drain();
  readonly #readiness: Readiness;
  readonly #admin: Listener;
  readonly #end = new AbortController();
  #api: Listener | null = null;
  #following: Promise<void> | null = null;
  #opened: Opened | null = null;
  #stopping: Promise<boolean> | null = null;

  constructor(options: RegionProcessOptions) {
    this.#options = options;
    const askDatabase = () => this.#opened?.askDatabase() ?? null;
    this.#readiness = new Readiness({ drain: this.#drain, askDatabase, timeoutMs: readyTimeoutMs });
    this.#admin = createAdminListener(this.#listenerOptions(adminLimits), {
      drain: this.#drain,
      readiness: this.#readiness,
      parts: () => this.#opened?.admin ?? null,
    });
  }

  /** Rejects where an address cannot be listened on, or the database is not one to serve. */
  async start(): Promise<void> {
    const { config, log } = this.#options;
    log.info({ address: await this.#admin.listen(config.adminAddress) }, 'admin listener is up');
    const opened = await this.#open();
    if (opened === null) return;
    this.#opened = opened;
    if (config.roles.has('api')) await this.#serve();
    this.#readiness.opened();
    log.info({ roles: [...config.roles] }, 'ready');
    this.#following = this.#follow();
  }

  /** True: everything ended in order and in time. A second call joins the first. */
  stop(): Promise<boolean> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #stop(): Promise<boolean> {
    const { log } = this.#options;
    log.info({}, 'stopping');
    this.#drain.start();
    this.#end.abort();
    const steps = [
      { name: 'callers', run: () => pause(drainMs) },
      { name: 'waits', run: () => Promise.resolve(this.#opened?.endWaits()) },
      { name: 'public listener', run: () => closeListener(this.#api) },
      { name: 'opening', run: () => this.#following ?? Promise.resolve() },
      { name: 'writes', run: () => this.#opened?.closeWrites() ?? Promise.resolve() },
      { name: 'replication', run: () => this.#opened?.closeReplication() ?? Promise.resolve() },
      { name: 'database', run: () => this.#opened?.closeDatabase() ?? Promise.resolve() },
      { name: 'admin listener', run: () => closeListener(this.#admin) },
    ];
    return shutDown(steps, { timeoutMs: shutdownTimeoutMs, log });
  }

  /** As long as the process lives, it serves the incarnation that its database is. */
  async #follow(): Promise<void> {
    const { log, crash } = this.#options;
    const { signal } = this.#end;
    while (!signal.aborted) {
      await pause(lookMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted || this.#opened?.isRenewed() !== true) continue;
      log.warn({}, 'the database has become another incarnation and is opened again');
      try {
        await this.#reopen(this.#opened);
      } catch (failure) {
        crash(failure);
      }
    }
  }

  /** Meanwhile callers are told that the database is unavailable. */
  async #reopen(former: Opened): Promise<void> {
    this.#opened = null;
    former.endWaits();
    await former.closeWrites();
    await former.closeReplication();
    await former.closeDatabase();
    this.#opened = await this.#open();
  }

  /** `null`: stopped before the database answered. */
  async #open(): Promise<Opened | null> {
    const { log, open } = this.#options;
    const { signal } = this.#end;
    while (!signal.aborted) {
      try {
        return await open(async () => isReady(await this.#readiness.check()));
      } catch (error) {
        if (!(error instanceof ReplicationError) || !error.retriable) throw error;
        log.warn({ err: error, retryMs: openRetryMs }, 'the database cannot be opened yet');
        await pause(openRetryMs, undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }

  async #serve(): Promise<void> {
    const { config, log } = this.#options;
    this.#api = createApiListener(this.#listenerOptions(apiLimits), {
      ...switchedParts(() => this.#opened?.api ?? null),
      drain: this.#drain,
    });
    log.info({ address: await this.#api.listen(config.apiAddress) }, 'public listener is up');
  }

  #listenerOptions(limits: Pick<ListenerOptions, 'maxConnections' | 'stallTimeoutMs'>): ListenerOptions {
    const { config, log, crash } = this.#options;
    const isDraining = () => this.#drain.draining;
    return { region: config.region, log, crash, isDraining, ...limits, ...timeouts };
  }
}

/**
 * Waits for requests under way; connections that are still open after a while are cut. A caller who has just connected
 * and not been read yet looks idle, so nobody is taken for idle before a moment in which no one new is let in.
 */
async function closeListener(listener: Listener | null): Promise<void> {
  if (listener === null) return;
  const { server } = listener;
  // Closing a server of HTTP also closes its idle connections, and at once.
  const closed = new Promise<void>((resolve) => {
    Server.prototype.close.call(server, () => resolve());
  });
  await pause(arrivalMs);
  const cut = setTimeout(() => server.closeAllConnections(), lingerMs);
  await Promise.all([listener.close(), closed]).finally(() => clearTimeout(cut));
}
