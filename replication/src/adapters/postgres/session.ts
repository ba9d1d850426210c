/**
 * One connection while it is checked out of the pool. Statements are sent together and answered in order: a pipeline
 * is one round trip. Once its connection is lost a session stays lost, and whoever checked it out must give it back.
 * A statement's name stands for one text for ever, because the server keeps the plan under that name.
 */
import type pg from 'pg';
import { assert } from '../../errors.ts';
import { databaseUnavailable, fromPg, isFatal, serverErrorIn } from './postgres-error.ts';
import type { Row } from './row-values.ts';

export interface Statement {
  /** Prepared once for each connection; `null`: sent as text, without parameters. */
  readonly name: string | null;
  readonly text: string;
}

export type Value = string | number | boolean | Uint8Array | null;

export type Call = readonly [statement: Statement, ...values: Value[]];

export interface Answer {
  readonly rows: readonly Row[];
  readonly command: string;
  readonly rowCount: number;
}

export const begin: Statement = {
  name: null,
  text: 'BEGIN ISOLATION LEVEL READ COMMITTED',
};
export const commit: Statement = { name: null, text: 'COMMIT' };
const rollback: Statement = { name: null, text: 'ROLLBACK' };

export class Session {
  readonly #client: pg.PoolClient;
  #lost: Error | null = null;

  constructor(client: pg.PoolClient) {
    this.#client = client;
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

  async query(...call: Call): Promise<Answer> {
    return this.#send(call);
  }

  /** One round trip. Rejects with the first failure once every statement is answered. */
  async pipeline(calls: readonly Call[]): Promise<readonly Answer[]> {
    const answers: Answer[] = [];
    for (const result of await this.pipelineSettled(calls)) {
      if (result.status === 'rejected') throw result.reason;
      answers.push(result.value);
    }
    return answers;
  }

  pipelineSettled(calls: readonly Call[]): Promise<PromiseSettledResult<Answer>[]> {
    const { stream } = this.#client.connection;
    stream.cork();
    const answers = calls.map((call) => this.#send(call));
    stream.uncork();
    return Promise.allSettled(answers);
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

  #send(call: Call): Promise<Answer> {
    return this.#client.query<unknown[], Value[]>(queryOf(call)).then(answerOf, (error: unknown) => {
      throw this.#failed(fromPg(error));
    });
  }

  /** The socket may be told later than the statement that the connection is of no more use. */
  #failed(failure: Error): Error {
    const answer = serverErrorIn(failure);
    if (answer === null || isFatal(answer)) this.#lost ??= failure;
    return failure;
  }
}

function queryOf([statement, ...values]: Call): pg.QueryArrayConfig<Value[]> {
  const { name, text } = statement;
  return name === null ? { text, rowMode: 'array' } : { name, text, values, rowMode: 'array' };
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
