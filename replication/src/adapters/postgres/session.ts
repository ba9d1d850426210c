/**
 * One connection while it is checked out of the pool. Statements that are sent together are one round trip
 * (`statement-batch.ts`). A server that leaves one unanswered for too long is left. Once its connection is lost a session
 * stays lost, and whoever checked it out must give it back.
 */
import type pg from 'pg';
import { assert } from '../../errors.ts';
import type { Value } from './frontend-messages.ts';
import { databaseUnavailable, fromPg, isFatal, serverErrorIn } from './postgres-error.ts';
import type { Row } from './row-values.ts';
import { type BatchOutcome, type KnownStatements, StatementBatch } from './statement-batch.ts';

export type { Value } from './frontend-messages.ts';

export interface Statement {
  /** Prepared once for each connection; stands for one text for ever. `null`: sent as text, without parameters. */
  readonly name: string | null;
  readonly text: string;
}

export type Call = readonly [statement: Statement, ...values: Value[]];

export interface Answer {
  readonly rows: readonly Row[];
  readonly command: string;
  readonly rowCount: number;
}

export const begin: Statement = { name: 'isthmus_begin', text: 'BEGIN ISOLATION LEVEL READ COMMITTED' };
export const commit: Statement = { name: 'isthmus_commit', text: 'COMMIT' };
const rollback: Statement = { name: 'isthmus_rollback', text: 'ROLLBACK' };

/** Of a statement that waits for what others do. */
export interface Patience {
  readonly limitMs: number;
  /** Aborted, it ends the wait and the connection with it. */
  readonly signal?: AbortSignal | undefined;
}

/** Until the end of the round trip, which is a transaction. */
const setLimit: Statement = {
  name: 'isthmus_statement_limit',
  text: "SELECT set_config('statement_timeout', $1, true)",
};
/** For an answer to come after the limit of its statement. */
const graceMs = 3_000;

export class Session {
  readonly #client: pg.PoolClient;
  readonly #answerTimeoutMs: number;
  readonly #known: KnownStatements = new Map();
  #lost: Error | null = null;

  /** `answerTimeoutMs`: above the server's own limit, for a server or a network that has fallen silent. */
  constructor(client: pg.PoolClient, answerTimeoutMs: number) {
    this.#client = client;
    this.#answerTimeoutMs = answerTimeoutMs;
    client.on('error', (error: Error) => {
      this.#lost ??= fromPg(error);
    });
    client.on('end', () => {
      this.#lost ??= databaseUnavailable('the connection has ended');
    });
  }

  /** Why the connection is gone; `null` while it stands as far as we know. */
  get lost(): Error | null {
    return this.#lost;
  }

  /** A text without a name may hold several statements; the last one's answer counts. */
  async query(...call: Call): Promise<Answer> {
    const [statement] = call;
    if (statement.name === null) return this.#sendText(statement.text);
    const [answer] = await this.pipeline([call]);
    assert(answer !== undefined, 'one statement has one answer');
    return answer;
  }

  /** One round trip. Rejects with what the first statement that failed says; those behind it were not carried out. */
  async pipeline(calls: readonly Call[]): Promise<readonly Answer[]> {
    const { answers, failure } = await this.send(calls);
    if (failure !== null) throw failure;
    return answers;
  }

  /** The same, with the answers of those before the one that failed. */
  send(calls: readonly Call[]): Promise<BatchOutcome> {
    return this.#exchange(calls, this.#answerTimeoutMs);
  }

  /** One statement, outside transactions, under a limit of its own in place of the session's. */
  async wait({ limitMs, signal }: Patience, ...call: Call): Promise<void> {
    if (signal?.aborted === true) throw databaseUnavailable('nobody waits for the database any more');
    const leave = (): void => this.#leave();
    signal?.addEventListener('abort', leave);
    try {
      const { failure } = await this.#exchange([[setLimit, `${limitMs}`], call], limitMs + graceMs);
      if (failure !== null) throw failure;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** Leaves the transaction. Where that fails the connection is of no more use and counts as lost. */
  async rollback(): Promise<void> {
    try {
      await this.query(rollback);
    } catch (error) {
      this.#lost ??= databaseUnavailable('a rollback failed', error);
    }
  }

  /** Gives the connection back, or drops it where it is lost or still inside a transaction. */
  release(): void {
    const idle = this.#client.getTransactionStatus() === 'I';
    this.#client.release(this.#lost !== null || !idle);
  }

  /** Drops the connection and with it every lock that it holds. */
  drop(): void {
    this.#client.release(true);
  }

  async #exchange(calls: readonly Call[], answerTimeoutMs: number): Promise<BatchOutcome> {
    if (calls.length === 0) return { answers: [], failure: null };
    const batch = new StatementBatch(calls, this.#known);
    const silence = setTimeout(() => this.#leave(), answerTimeoutMs);
    this.#client.query(batch);
    const { answers, failure } = await batch.outcome;
    clearTimeout(silence);
    return { answers, failure: failure === null ? null : this.#failed(fromPg(failure)) };
  }

  /** Whatever is asked fails at once. */
  #leave(): void {
    this.#client.connection.stream.destroy();
  }

  async #sendText(text: string): Promise<Answer> {
    try {
      const query = { text, rowMode: 'array', query_timeout: this.#answerTimeoutMs } as const;
      return answerOf(await this.#client.query<unknown[]>(query));
    } catch (error) {
      throw this.#failed(fromPg(error));
    }
  }

  /** The socket may be told later than the statement that the connection is of no more use. */
  #failed(failure: Error): Error {
    const answer = serverErrorIn(failure);
    if (answer === null || isFatal(answer)) this.#lost ??= failure;
    return failure;
  }
}

/** A text of several statements has a result for each; the last one counts. */
function answerOf(result: unknown): Answer {
  const last: unknown = Array.isArray(result) ? result.at(-1) : result;
  assert(isResult(last), 'pg gave no result');
  return {
    rows: last.rows,
    command: last.command,
    rowCount: last.rowCount ?? 0,
  };
}

function isResult(value: unknown): value is pg.QueryResultBase & { rows: unknown[][] } {
  return typeof value === 'object' && value !== null && 'rows' in value;
}
