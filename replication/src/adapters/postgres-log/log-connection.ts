/**
 * One connection to the database in which a peer keeps its log. A question that sees no byte arrive for the stall time
 * fails, and the connection goes with it, so that whoever asked opens a new one; time is counted by silence and not by
 * duration, because a large answer over a slow link is legitimate. Nothing is asked twice and nothing is written.
 */
import { Socket } from 'node:net';
import { Client } from 'pg';
import type { Connection, Submittable } from 'pg';
import { ReplicationError } from '../../errors.ts';
import { clientConfig } from '../postgres/connections.ts';
import { CopyRows } from './copy-rows.ts';
import type { CopyRow } from './copy-rows.ts';

export interface LogConnectionOptions {
  readonly connectionString: string;
  /** Silence after which a server that owes an answer is given up. */
  readonly stallTimeoutMs: number;
}

export const defaultStallTimeoutMs = 5_000;

const looksPerStall = 10;

export class LogConnection {
  readonly #client: Client;
  readonly #socket = new Socket();
  readonly #stallTimeoutMs: number;

  constructor(options: LogConnectionOptions) {
    this.#stallTimeoutMs = options.stallTimeoutMs;
    this.#client = new Client({
      ...clientConfig(options.connectionString),
      application_name: 'isthmus-feed',
      connectionTimeoutMillis: options.stallTimeoutMs,
      stream: () => this.#socket,
    });
    // What was asked rejects with the same failure; without a question nobody needs to know it yet.
    this.#client.on('error', () => undefined);
  }

  /** Rejects with `log-unavailable`, as everything here. */
  async connect(): Promise<void> {
    await this.#answered(this.#client.connect());
  }

  /** The rows of one statement. */
  copy(select: string): Promise<readonly CopyRow[]> {
    const copy = new CopyOut(`COPY (${select}) TO STDOUT (FORMAT binary)`);
    this.#client.query(copy);
    return this.#answered(copy.answer);
  }

  destroy(): void {
    this.#socket.destroy();
    void this.#client.end();
  }

  async #answered<T>(work: Promise<T>): Promise<T> {
    let watch: NodeJS.Timeout | undefined;
    const stall = new Promise<never>((_, reject) => {
      watch = this.#onStall(reject);
    });
    try {
      return await Promise.race([work, stall]);
    } catch (error) {
      throw unavailable(error);
    } finally {
      clearInterval(watch);
    }
  }

  /** Calls back once, when no byte has come for the stall time; until then it looks several times. */
  #onStall(stalled: (cause: Error) => void): NodeJS.Timeout {
    let seenBytes = this.#socket.bytesRead;
    let quietLooks = 0;
    const look = (): void => {
      const { bytesRead } = this.#socket;
      quietLooks = bytesRead === seenBytes ? quietLooks + 1 : 0;
      seenBytes = bytesRead;
      if (quietLooks !== looksPerStall) return;
      this.destroy();
      stalled(unavailable(`Postgres was silent for ${this.#stallTimeoutMs} ms`));
    };
    return setInterval(look, this.#stallTimeoutMs / looksPerStall);
  }
}

export function unavailable(reason: unknown): ReplicationError {
  if (reason instanceof ReplicationError && reason.code === 'log-unavailable') return reason;
  const detail = reason instanceof Error ? reason.message : String(reason);
  return new ReplicationError('log-unavailable', `the log does not answer: ${detail}`, {
    retriable: true,
    ...(reason instanceof Error ? { cause: reason } : {}),
  });
}

/** A statement whose answer comes as copied rows. */
class CopyOut implements Submittable {
  readonly answer: Promise<readonly CopyRow[]>;
  readonly #text: string;
  readonly #rows = new CopyRows();
  #hasFailed = false;
  #settle: { resolve: (rows: readonly CopyRow[]) => void; reject: (cause: unknown) => void } | null = null;

  constructor(text: string) {
    this.#text = text;
    this.answer = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    // A stall has told the asker already when the end of the connection rejects this.
    this.answer.catch(() => undefined);
  }

  submit(connection: Connection): void {
    connection.query(this.#text);
  }

  handleCopyData({ chunk }: { readonly chunk: Buffer }): void {
    if (this.#hasFailed) return;
    try {
      this.#rows.take(chunk);
    } catch (error) {
      // The end of the turn may never come: who asked closes the connection.
      this.#hasFailed = true;
      this.#settle?.reject(error);
    }
  }

  handleError(cause: Error): void {
    this.#settle?.reject(cause);
  }

  /** What is left to come is the end of the turn. */
  handleCommandComplete(): void {
    return undefined;
  }

  handleReadyForQuery(): void {
    this.#settle?.resolve(this.#rows.rows);
  }
}
