/**
 * Ends sessions of the role that peers read with where they do what no reader does: a transaction that is open too long,
 * because it holds back the vacuum of the whole database; an advisory lock, because it may be one of the region's own; a
 * session in another database; and one that is silent for long, because all peers share the role's connections. The
 * role's own settings bound all of that for honest peers, but a role may change its settings. It runs whether or not
 * the region holds its roles, since a lock of a reader may be what stands in the way.
 */
import { ReplicationError } from '../../errors.ts';
import type { Logger } from '../../ports/logger.ts';
import type { Connections } from '../postgres/connections.ts';
import { textAt } from '../postgres/row-values.ts';
import type { Statement } from '../postgres/session.ts';

export interface ReaderBounds {
  readonly intervalMs: number;
  /** More than the longest statement and the longest pause within a transaction that the role's settings allow. */
  readonly transactionMs: number;
  readonly silentMs: number;
}

export const defaultReaderBounds: ReaderBounds = {
  intervalMs: 5_000,
  transactionMs: 60_000,
  silentMs: 120_000,
};

/** A process that has been asked to end and has not yet is asked again. */
const endStrays: Statement = {
  name: 'isthmus_log_end_strays',
  text: `SELECT reason, count(pg_terminate_backend(pid))::text FROM (
    SELECT pid, CASE
      WHEN datname <> current_database() THEN 'is in another database'
      WHEN xact_start < clock_timestamp() - make_interval(secs => $2::float8) THEN 'has an old transaction'
      WHEN EXISTS (SELECT FROM pg_locks AS held WHERE held.pid = activity.pid AND locktype = 'advisory')
        THEN 'has an advisory lock'
      WHEN state <> 'active' AND state_change < clock_timestamp() - make_interval(secs => $3::float8) THEN 'is silent'
    END AS reason
    FROM pg_stat_activity AS activity
    WHERE usename = $1::name AND pg_has_role(current_user, usesysid, 'USAGE')) AS session
  WHERE reason IS NOT NULL GROUP BY reason ORDER BY reason`,
};

export class ReaderWatch {
  readonly #connections: Connections;
  readonly #role: string;
  readonly #logger: Logger;
  readonly #bounds: ReaderBounds;
  readonly #timer: NodeJS.Timeout;
  #turn: Promise<void> | null = null;

  constructor(
    connections: Connections,
    {
      role,
      logger,
      bounds,
    }: { readonly role: string; readonly logger: Logger; readonly bounds: ReaderBounds },
  ) {
    this.#connections = connections;
    this.#role = role;
    this.#logger = logger;
    this.#bounds = bounds;
    this.#timer = setInterval(() => this.#begin(), bounds.intervalMs);
  }

  /** Resolves when no turn is under way. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#turn;
  }

  #begin(): void {
    this.#turn ??= this.#run().finally(() => {
      this.#turn = null;
    });
  }

  async #run(): Promise<void> {
    const { transactionMs, silentMs } = this.#bounds;
    try {
      const call = [endStrays, this.#role, transactionMs / 1000, silentMs / 1000] as const;
      const { rows } = await this.#connections.query(...call);
      for (const row of rows)
        this.#logger.warn(
          { role: this.#role, reason: textAt(row, 0), sessions: textAt(row, 1) },
          'sessions of the role that peers read the log with were ended',
        );
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      this.#logger.debug({ err: error }, 'the sessions of readers were not looked at; the next turn does it');
    }
  }
}
