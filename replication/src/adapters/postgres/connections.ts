/**
 * The bounded pool of connections to the region's own Postgres. Every new connection is checked against the identity
 * row before its first use, because a pool survives a failover (P1): a server that is not the one we knew serves
 * reads and refuses writes. A database that does not answer makes calls reject at once or within the stated bounds;
 * nothing is queued for it and nothing has to be restarted when it is back.
 */
import type { ClientConfig, PoolClient } from 'pg';
import { Pool } from 'pg';
import { ReplicationError } from '../../errors.ts';
import type { Incarnation } from '../../ports/identity.ts';
import type { Continuity } from '../../ports/identity-store.ts';
import { judgeContinuity, type Life } from './continuity.ts';
import {
  identityMismatch,
  lifeOf,
  lineageOf,
  recordProof,
  selectIdentity,
  selectLineage,
} from './identity-row.ts';
import { databaseUnavailable, fromPg, overloaded } from './postgres-error.ts';
import type { Answer, Call, Statement } from './session.ts';
import { Session } from './session.ts';
import { repeat } from './transaction.ts';

const connectTimeoutMs = 1_000;
/** Shorter than a connection may take, so that a server that takes none is noticed too. */
const pulseTimeoutMs = 900;
const statementTimeoutMs = 5_000;
const answerTimeoutMs = 8_000;
const idleInTransactionTimeoutMs = 10_000;
const idleConnectionTimeoutMs = 60_000;
const keepAliveDelayMs = 5_000;

export interface ConnectionOptions {
  readonly connectionString: string;
  readonly maxConnections: number;
  /** Where there is no log to compare a server with that was started anew, it is taken for the one that it was. */
  readonly trustsRestarts: boolean;
}

/**
 * Plans are cached for the life of a connection and may be made while the tables are empty, when a scan of everything
 * looks cheap. Every statement of ours goes by an index or by tuple ids, also where it joins, so that way is closed.
 */
export const settings: Statement = {
  name: null,
  text: `SELECT ${[
    ['plan_cache_mode', 'force_generic_plan'],
    ['enable_seqscan', 'off'],
    ['enable_bitmapscan', 'off'],
    ['enable_hashjoin', 'off'],
    ['enable_mergejoin', 'off'],
    ['jit', 'off'],
    ['bytea_output', 'hex'],
    ['default_transaction_isolation', 'read committed'],
    ['statement_timeout', `${statementTimeoutMs}`],
    ['idle_in_transaction_session_timeout', `${idleInTransactionTimeoutMs}`],
  ]
    .map(([name, value]) => `set_config('${name}', '${value}', false)`)
    .join(', ')},
  set_config('synchronous_commit',
    replace(current_setting('synchronous_commit'), 'off', 'on'), false)`,
};

/** `local`: writes of the region itself, which wait while it learns its past again (P9) or is drained. */
type Use = 'read' | 'write' | 'local';

interface Prepared {
  readonly session: Session;
  readonly continuity: Continuity;
  /** Why local writes wait; `null`: they do not. */
  readonly localWait: string | null;
}

/** What is common to the connections of the pool and to the single one that opens the database. */
export function clientConfig(connectionString: string): ClientConfig {
  return {
    connectionString,
    application_name: 'isthmus',
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveDelayMs,
  };
}

/** Connections of the pool, and callers that wait for one. */
export interface PoolUse {
  readonly total: number;
  readonly idle: number;
  readonly waiting: number;
}

export class Connections {
  #broken = 0;
  readonly #pool: Pool;
  readonly #incarnation: Incarnation;
  readonly #trustsRestarts: boolean;
  readonly #prepared = new WeakMap<PoolClient, Prepared>();
  #closed = false;
  /** A pulse is overdue and nothing else was answered: the server has fallen silent, and callers must not wait for it. */
  #isSilent = false;
  /** When the server answered anything last. */
  #heardMs = -Infinity;
  #standing: Continuity['kind'] = 'same';

  constructor(options: ConnectionOptions, incarnation: Incarnation) {
    this.#incarnation = incarnation;
    this.#trustsRestarts = options.trustsRestarts;
    this.#pool = new Pool({
      ...clientConfig(options.connectionString),
      max: options.maxConnections,
      idleTimeoutMillis: idleConnectionTimeoutMs,
    });
    // The pool has dropped the connection already; the next call that needs one says what is wrong.
    this.#pool.on('error', (_error, client) => this.#prepared.delete(client));
    this.#pool.on('connect', (client) => {
      client.on('error', () => {
        this.#broken += 1;
      });
    });
  }

  /** Connections that have broken so far. A server that crashed has broken all that there were. */
  get broken(): number {
    return this.#broken;
  }

  get use(): PoolUse {
    const { totalCount, idleCount, waitingCount } = this.#pool;
    return { total: totalCount, idle: idleCount, waiting: waitingCount };
  }

  /** What the newest connection found, or was done to the database since. */
  get standing(): Continuity['kind'] {
    return this.#standing;
  }

  /** A hold of ours has ended them. */
  wereHeld(): void {
    this.#standing = 'broken';
  }

  /** Runs `work` on one connection, which must leave no transaction open; failures come out coded. */
  async read<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#run('read', work);
  }

  /** The same, on a connection whose server continues our past; `identity-mismatch` where it does not. */
  async write<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#run('write', work);
  }

  /** A transaction of the region's own writes: `database-unavailable` while it learns its past again or is drained. */
  async transactLocal<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.#run('local', (session) => repeat(session, work));
  }

  /** One write transaction, repeated a bounded number of times where the database asks for it. */
  async transact<T>(work: (session: Session) => Promise<T>): Promise<T> {
    return this.write((session) => repeat(session, work));
  }

  /**
   * A question asked regularly to see whether the server answers. While one is overdue, and so is everything else that
   * was asked, every other call is refused at once; the pulse itself goes on waiting, and any answer ends that. One that
   * came while this process was busy is heard before anything is called overdue. A single connection may be slow where a
   * processor stands still, so what another one hears counts as well.
   */
  async pulse<T>(ask: (session: Session) => Promise<T>): Promise<T> {
    let isAnswered = false;
    const overdue = setInterval(() => {
      setImmediate(() => {
        const isHeard = isAnswered || performance.now() - this.#heardMs < pulseTimeoutMs;
        if (!isHeard) this.#isSilent = true;
      });
    }, pulseTimeoutMs);
    try {
      const session = await this.#admit(await this.#connect(), 'read');
      const answer = await ask(session).finally(() => session.release());
      this.#heard();
      return answer;
    } finally {
      isAnswered = true;
      clearInterval(overdue);
    }
  }

  async query(...call: Call): Promise<Answer> {
    return this.read((session) => session.query(...call));
  }

  /** A connection for as long as the caller wants it; the caller releases or drops it. */
  async checkOut(use: Use): Promise<Session> {
    if (this.#isSilent) throw databaseUnavailable(`Postgres has not answered for over ${pulseTimeoutMs} ms`);
    const client = await this.#connect();
    return this.#admit(client, use);
  }

  /** Waits for the calls that are running. Connections that were checked out must have been given back. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#pool.end();
  }

  async #connect(): Promise<PoolClient> {
    if (this.#closed) throw closed();
    try {
      return await this.#pool.connect();
    } catch (error) {
      throw waitedTooLong(error)
        ? overloaded('every connection to Postgres is in use', error)
        : fromPg(error);
    }
  }

  async #run<T>(use: Use, work: (session: Session) => Promise<T>): Promise<T> {
    const session = await this.checkOut(use);
    try {
      const answer = await work(session);
      this.#heard();
      return answer;
    } finally {
      session.release();
    }
  }

  #heard(): void {
    this.#heardMs = performance.now();
    this.#isSilent = false;
  }

  async #admit(client: PoolClient, use: Use): Promise<Session> {
    let prepared = this.#prepared.get(client);
    // A refusal is asked anew for each write, since another process may have lifted it meanwhile.
    if (prepared === undefined || (use !== 'read' && refusal(prepared, use) !== null)) {
      prepared = await this.#prepare(client, prepared?.session);
    }
    const refused = refusal(prepared, use);
    if (refused === null) return prepared.session;
    prepared.session.release();
    throw refused;
  }

  async #prepare(client: PoolClient, known: Session | undefined): Promise<Prepared> {
    const session = known ?? new Session(client, answerTimeoutMs);
    try {
      const prepared = { session, ...(await this.#proveContinuity(session)) };
      this.#prepared.set(client, prepared);
      return prepared;
    } catch (error) {
      session.drop();
      throw error;
    }
  }

  /** The place of P1's check on a new connection. */
  async #proveContinuity(session: Session): Promise<Omit<Prepared, 'session'>> {
    const found = await this.#judge(session);
    const { continuity } = found;
    this.#standing = continuity.kind;
    if (continuity.kind !== 'unproven' || continuity.isPromoted || !this.#trustsRestarts) return found;
    await session.query(recordProof, continuity.lineage.timeline, continuity.lineage.postmasterStart);
    this.#standing = 'same';
    return { ...found, continuity: { kind: 'same' } };
  }

  async continuity(session: Session): Promise<Continuity> {
    return (await this.#judge(session)).continuity;
  }

  async #judge(session: Session): Promise<Omit<Prepared, 'session'>> {
    const [, lineage, identity] = await session.pipeline([[settings], [selectLineage], [selectIdentity]]);
    const found = lineageOf(lineage?.rows[0]);
    const row = identity?.rows[0];
    if (row === undefined) {
      const continuity: Continuity = { kind: 'broken', isHeld: true, reason: 'the identity row is gone' };
      return { continuity, localWait: null };
    }
    const life = lifeOf(row);
    return { continuity: judgeContinuity(this.#incarnation, life, found), localWait: localWait(life) };
  }
}

function localWait({ isClosedToWrites, isDrained }: Life): string | null {
  if (isClosedToWrites) return 'writes wait until this new incarnation has learnt its past again';
  return isDrained ? 'the region was drained: it takes no writes until it joins again' : null;
}

/** `null`: it may be used. */
function refusal({ continuity, localWait: wait }: Prepared, use: Use): ReplicationError | null {
  if (use === 'read') return null;
  if (continuity.kind === 'broken' || continuity.kind === 'renewed')
    return identityMismatch(`writes are refused: ${continuity.reason}`);
  if (continuity.kind === 'unproven')
    return databaseUnavailable('writes wait until the server has been compared with the own log');
  return use === 'local' && wait !== null ? databaseUnavailable(wait) : null;
}

function waitedTooLong(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect';
}

function closed(): ReplicationError {
  return new ReplicationError('closed', 'the database was closed', {
    retriable: false,
  });
}
