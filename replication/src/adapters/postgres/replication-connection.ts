/**
 * One connection that has started to stream a logical replication slot, at the level of bytes. It hands every
 * frame of the copy stream to its listener, inside the callback that read it, and writes standby statuses; what the
 * frames mean, and what may be confirmed, is decided elsewhere. The end of the stream is reported exactly once,
 * whatever its cause. It never confirms anything by itself, and it never outlives `close` by more than two seconds,
 * because a walsender that is still served holds up the shutdown of its server.
 */
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import type { ClientConfig, Connection, Submittable } from 'pg';
import { ReplicationError } from '../../errors.ts';
import { clientConfig } from './connections.ts';
import { publicationName } from './relay-slot.ts';

export interface ReplicationListener {
  /** The chunk is overwritten by the next read. Must not throw. */
  frame(chunk: Buffer): void;
  /** Nothing follows. Not called after `close`. */
  ended(cause: Error): void;
}

export interface ReplicationOptions {
  readonly connectionString: string;
  readonly slot: string;
  readonly walSenderTimeoutMs: number;
}

const startTimeoutMs = 10_000;
const closeTimeoutMs = 2_000;
const copyDataCode = 'd'.charCodeAt(0);
const copyDataHeaderBytes = 5;

export class ReplicationConnection {
  readonly #client: Client;
  readonly #copy: CopyBoth;
  readonly #ended: Promise<void>;
  #closing = false;

  private constructor(client: Client, copy: CopyBoth) {
    this.#client = client;
    this.#copy = copy;
    this.#ended = new Promise((resolve) => client.once('end', resolve));
  }

  /** Resolves once the slot is held; rejects with the server's own error. */
  static async start(
    options: ReplicationOptions,
    listener: ReplicationListener,
  ): Promise<ReplicationConnection> {
    const client = new Client(replicationConfig(options));
    const copy = new CopyBoth(startCommand(options), listener);
    const connection = new ReplicationConnection(client, copy);
    client.on('error', (error) => connection.#lost(error));
    try {
      await client.connect();
      client.query(copy);
      await within(startTimeoutMs, copy.started);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** Writes one frame to the server; silently nothing once the connection is gone. */
  send(frame: Buffer): void {
    const stream = this.#copy.stream;
    if (stream?.writable !== true) return;
    const header = Buffer.allocUnsafe(copyDataHeaderBytes);
    header[0] = copyDataCode;
    header.writeUInt32BE(frame.length + 4, 1);
    stream.write(Buffer.concat([header, frame]));
  }

  pause(): void {
    this.#copy.stream?.pause();
  }

  resume(): void {
    this.#copy.stream?.resume();
  }

  /** Says goodbye and waits for the server to hang up, which it does after letting go of the slot. */
  async close(): Promise<void> {
    if (this.#closing) return this.#ended;
    this.#closing = true;
    this.#copy.silence();
    this.#copy.terminate();
    this.resume();
    const giveUp = setTimeout(() => this.#copy.stream?.destroy(), closeTimeoutMs);
    if (this.#copy.stream === null) await this.#client.end();
    else await this.#ended;
    clearTimeout(giveUp);
  }

  #lost(error: Error): void {
    this.#copy.handleError(error);
  }
}

/** The query that turns a connection into a stream in both directions. */
class CopyBoth implements Submittable {
  readonly started: Promise<void>;
  readonly #command: string;
  #listener: ReplicationListener | null;
  #connection: Connection | null = null;
  #settle: { resolve: () => void; reject: (cause: Error) => void } | null = null;

  constructor(command: string, listener: ReplicationListener) {
    this.#command = command;
    this.#listener = listener;
    this.started = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.started.catch(() => this.silence());
  }

  get stream(): Connection['stream'] | null {
    return this.#connection?.stream ?? null;
  }

  silence(): void {
    this.#listener = null;
  }

  terminate(): void {
    this.#connection?.end();
  }

  submit(connection: Connection): void {
    this.#connection = connection;
    connection.once('replicationStart', () => this.#settle?.resolve());
    connection.query(this.#command);
  }

  handleCopyData(message: { readonly chunk: Buffer }): void {
    this.#listener?.frame(message.chunk);
  }

  handleError(cause: Error): void {
    this.#settle?.reject(cause);
    const listener = this.#listener;
    this.silence();
    listener?.ended(cause);
  }

  handleCommandComplete(): void {
    this.handleError(lost('the server ended the stream'));
  }

  handleReadyForQuery(): void {
    this.handleError(lost('the server ended the stream'));
  }
}

function replicationConfig(options: ReplicationOptions): ClientConfig {
  const config = {
    ...clientConfig(options.connectionString),
    application_name: 'isthmus-relay',
    connectionTimeoutMillis: startTimeoutMs,
    options: `-c wal_sender_timeout=${options.walSenderTimeoutMs}`,
    replication: 'database',
  };
  return config;
}

function startCommand(options: ReplicationOptions): string {
  const slot = escapeIdentifier(options.slot);
  const publication = escapeLiteral(escapeIdentifier(publicationName));
  const plugin = `proto_version '1', messages 'true', publication_names ${publication}`;
  return `START_REPLICATION SLOT ${slot} LOGICAL 0/0 (${plugin})`;
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(lost(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

function lost(detail: string): ReplicationError {
  return new ReplicationError('source-lost', detail, { retriable: true });
}
