/**
 * The ordinary connection beside a replication stream. It reads what the stream cannot say of itself: where the slot
 * begins, and why a stream was refused. While the stream lives it asks the server once a second, so that a server
 * that died without a word is noticed within seconds, and it is told when the server begins to shut down. It reports
 * the loss of the server exactly once and changes nothing in the database.
 */
import { Socket } from 'node:net';
import { Client, DatabaseError } from 'pg';
import { ReplicationError } from '../../errors.ts';
import type { Lsn } from '../../ports/change.ts';
import { clientConfig } from './connections.ts';
import { misconfigured } from './postgres-error.ts';
import { parseLsn } from './wal-message.ts';

export interface GuardOptions {
  readonly connectionString: string;
  readonly slot: string;
}

const connectTimeoutMs = 5_000;
const queryTimeoutMs = 5_000;
const closeTimeoutMs = 2_000;
const askIntervalMs = 1_000;
const objectInUse = '55006';
const undefinedObject = '42704';
const notInPrerequisiteState = '55000';
/** Classes of errors that a person must mend: authorisation, missing database, missing right. */
const forAPerson = /^(?:28...|3D000|42501|0A000)$/;

interface SlotRow {
  readonly wal_status: string | null;
  readonly invalidation_reason: string | null;
}

export class SlotGuard {
  readonly #client: Client;
  readonly #socket = new Socket();
  readonly #slot: string;
  #report: ((cause: Error) => void) | null = null;
  #cause: Error | null = null;
  #asker: NodeJS.Timeout | undefined;
  #asking = false;

  private constructor(options: GuardOptions) {
    this.#slot = options.slot;
    this.#client = new Client({
      ...clientConfig(options.connectionString),
      application_name: 'isthmus-relay-guard',
      connectionTimeoutMillis: connectTimeoutMs,
      query_timeout: queryTimeoutMs,
      stream: () => this.#socket,
    });
    this.#client.on('error', (error) => this.#lost(error));
  }

  /** Rejects with `source-lost` or `database-misconfigured`. */
  static async connect(options: GuardOptions): Promise<SlotGuard> {
    const guard = new SlotGuard(options);
    try {
      await guard.#client.connect();
    } catch (error) {
      throw failureOf(error);
    }
    return guard;
  }

  /** The slot's `confirmed_flush_lsn`; to be asked while the slot is held. */
  async confirmedFlush(): Promise<Lsn> {
    const { rows } = await this.#client.query<{ lsn: string | null }>(
      'SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = $1',
      [this.#slot],
    );
    const lsn = rows[0]?.lsn ?? null;
    if (lsn === null) throw slotLost(this.#slot, 'it has no confirmed position', undefined);
    return parseLsn(lsn);
  }

  /** Reports the loss of the server to the listener, also when it has already happened. */
  watch(report: (cause: Error) => void): void {
    this.#report = report;
    this.#asker = setInterval(() => void this.#ask(), askIntervalMs);
    if (this.#cause !== null) this.#lost(this.#cause);
  }

  /** What a refused stream means to the caller of `open`. */
  async explain(error: unknown): Promise<ReplicationError> {
    const code = codeOf(error);
    if (code === objectInUse)
      return new ReplicationError('slot-held', `another relay holds the slot ${this.#slot}`, {
        retriable: true,
        cause: error,
      });
    if (code !== undefinedObject && code !== notInPrerequisiteState) return failureOf(error);
    try {
      const reason = await this.#whyLost();
      if (reason === null) return misconfiguration(error);
      return slotLost(this.#slot, reason, error);
    } catch (queryError) {
      return failureOf(queryError);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#asker);
    this.#report = null;
    const giveUp = setTimeout(() => this.#socket.destroy(), closeTimeoutMs);
    await this.#client.end();
    clearTimeout(giveUp);
  }

  async #whyLost(): Promise<string | null> {
    const { rows } = await this.#client.query<SlotRow>(
      'SELECT wal_status, invalidation_reason FROM pg_replication_slots WHERE slot_name = $1',
      [this.#slot],
    );
    const slot = rows[0];
    if (slot === undefined) return 'it does not exist';
    if (slot.invalidation_reason !== null) return `it was invalidated: ${slot.invalidation_reason}`;
    return slot.wal_status === 'lost' ? 'its WAL was removed' : null;
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    try {
      await this.#client.query('SELECT 1');
    } catch (error) {
      this.#lost(error instanceof Error ? error : failureOf(error));
    } finally {
      this.#asking = false;
    }
  }

  #lost(cause: Error): void {
    this.#cause = cause;
    clearInterval(this.#asker);
    const report = this.#report;
    this.#report = null;
    report?.(cause);
  }
}

function failureOf(error: unknown): ReplicationError {
  if (error instanceof ReplicationError) return error;
  if (forAPerson.test(codeOf(error) ?? '')) return misconfiguration(error);
  return new ReplicationError('source-lost', `the database does not serve changes: ${messageOf(error)}`, {
    retriable: true,
    cause: error,
  });
}

function misconfiguration(error: unknown): ReplicationError {
  return misconfigured(`the change stream is refused: ${messageOf(error)}`, error);
}

function slotLost(slot: string, reason: string, cause: unknown): ReplicationError {
  return new ReplicationError('slot-lost', `the replication slot ${slot} is lost: ${reason}`, {
    retriable: false,
    cause,
  });
}

function codeOf(error: unknown): string | null {
  return error instanceof DatabaseError ? (error.code ?? null) : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
