/** A real Postgres with a slot, a change source over it, and a way to it that counts and can fall silent. */
import { createServer, connect } from 'node:net';
import type { Server, Socket } from 'node:net';
import { startPostgres } from '@isthmus/local/postgres';
import type { Postgres } from '@isthmus/local/postgres';
import { PostgresChangeSource } from '@isthmus/replication/adapters/postgres/change-source';
import {
  beatPrefix,
  changesPrefix,
  encodeChanges,
  formatLsn,
  parseLsn,
} from '@isthmus/replication/adapters/postgres/wal-message';
import type { Beat, Change, Lsn } from '@isthmus/replication/ports/change';
import { assert } from '@isthmus/replication/errors';
import { Client } from 'pg';
import { vi } from 'vitest';
import type { SourceBench } from './change-source.contract.ts';

const emit = 'SELECT pg_logical_emit_message(true, $1, $2::bytea)';

export class PostgresBench implements SourceBench {
  readonly postgres: Postgres;
  readonly source: PostgresChangeSource;
  #client: Client;

  private constructor(postgres: Postgres, client: Client) {
    this.postgres = postgres;
    this.#client = client;
    this.source = this.sourceThrough(postgres.url);
  }

  static async open(settings: Readonly<Record<string, string>> = {}): Promise<PostgresBench> {
    const postgres = await startPostgres({ settings });
    const bench = new PostgresBench(postgres, await connected(postgres.url));
    await bench.query('CREATE PUBLICATION isthmus_relay');
    await bench.query('CREATE TABLE elsewhere (n int, filler text)');
    await bench.createSlot();
    return bench;
  }

  sourceThrough(
    connectionString: string,
    options: { maxUnreadBytes?: number; walSenderTimeoutMs?: number } = {},
  ): PostgresChangeSource {
    return new PostgresChangeSource({ connectionString, ...options });
  }

  async query(text: string, values: readonly unknown[] = []): Promise<Record<string, unknown>[]> {
    const { rows } = await this.#client.query<Record<string, unknown>>(text, [...values]);
    return rows;
  }

  async commit(changes: readonly Change[], beat?: Beat): Promise<void> {
    await this.query('BEGIN');
    if (changes.length > 0) await this.query(emit, [changesPrefix, encodeChanges(changes)]);
    if (beat !== undefined) {
      const text = `1 ${beat.number} ${formatLsn(beat.lsn)} ${beat.atMs}`;
      await this.query(emit, [beatPrefix, Buffer.from(text)]);
    }
    await this.query('COMMIT');
  }

  async commitOthers(): Promise<void> {
    await this.query("INSERT INTO elsewhere SELECT n, repeat('x', 100) FROM generate_series(1, 50) n");
    await this.query(emit, ['somebody.else', Buffer.from('not ours')]);
    await this.query('SELECT pg_logical_emit_message(false, $1, $2::bytea)', [changesPrefix, Buffer.of(9)]);
    await this.query('BEGIN');
    await this.query(emit, [changesPrefix, encodeChanges([])]);
    await this.query('ROLLBACK');
  }

  async confirmed(): Promise<Lsn> {
    const rows = await this.query('SELECT confirmed_flush_lsn::text AS lsn FROM pg_replication_slots');
    return parseLsn(String(rows[0]?.['lsn']));
  }

  async breakStream(): Promise<void> {
    await this.query('SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots');
  }

  async reset(): Promise<void> {
    await this.dropSlot();
    await this.createSlot();
  }

  async createSlot(): Promise<void> {
    await this.query("SELECT pg_create_logical_replication_slot('isthmus_relay', 'pgoutput')");
  }

  async dropSlot(): Promise<void> {
    const drop = 'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots';
    await vi.waitFor(() => this.query(drop), { timeout: 10_000, interval: 20 });
  }

  async goDown(): Promise<() => Promise<void>> {
    await this.postgres.kill('SIGKILL');
    return async () => {
      await this.postgres.restart();
      this.#client = await connected(this.postgres.url);
    };
  }

  async killAndRestart(): Promise<void> {
    const comeUp = await this.goDown();
    await comeUp();
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined);
    await this.postgres.stop();
  }
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Stands between a source and its Postgres, counts what passes, and can let nothing through without hanging up. */
export class Tap {
  readonly url: string;
  keepaliveCount = 0;
  statusCount = 0;
  bytesToClient = 0;
  #silent = false;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, target: URL) {
    this.#server = server;
    const address = server.address();
    assert(address !== null && typeof address === 'object', 'the tap listens on a port');
    const url = new URL(target);
    url.port = String(address.port);
    this.url = url.href;
    server.on('connection', (client) => this.#join(client, connect(Number(target.port), target.hostname)));
  }

  static async open(postgresUrl: string): Promise<Tap> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    return new Tap(server, new URL(postgresUrl));
  }

  /** From now on nothing passes, and nobody is told. */
  fallSilent(): void {
    this.#silent = true;
    for (const socket of this.#sockets) socket.pause();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #join(client: Socket, server: Socket): void {
    const fromServer = new FrameCounter((kind) => {
      if (kind === 'k') this.keepaliveCount++;
    });
    const fromClient = new FrameCounter((kind) => {
      if (kind === 'r') this.statusCount++;
    });
    // The first message of a client has no type.
    fromClient.take(Buffer.of(0));
    this.#forward(server, client, (chunk) => {
      this.bytesToClient += chunk.length;
      fromServer.take(chunk);
    });
    this.#forward(client, server, (chunk) => fromClient.take(chunk));
  }

  #forward(from: Socket, to: Socket, see: (chunk: Buffer) => void): void {
    this.#sockets.add(from);
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.on('data', (chunk: Buffer) => {
      if (this.#silent) return;
      see(chunk);
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
  }
}

const copyData = 'd'.charCodeAt(0);
const headerBytes = 5;

/** Finds the copy-data messages in a byte stream of the Postgres protocol and tells the kind of their frames. */
class FrameCounter {
  readonly #found: (kind: string) => void;
  #header = Buffer.alloc(0);
  #skipBytes = 0;

  constructor(found: (kind: string) => void) {
    this.#found = found;
  }

  take(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      const skipped = Math.min(this.#skipBytes, chunk.length - offset);
      this.#skipBytes -= skipped;
      offset += skipped;
      if (this.#skipBytes > 0) return;
      const missing = headerBytes + 1 - this.#header.length;
      this.#header = Buffer.concat([this.#header, chunk.subarray(offset, offset + missing)]);
      offset += missing;
      if (this.#header.length <= headerBytes) return;
      this.#readHeader();
    }
  }

  #readHeader(): void {
    const length = this.#header.readUInt32BE(1);
    if (this.#header[0] === copyData) this.#found(String.fromCharCode(this.#header[headerBytes] ?? 0));
    const left = Math.max(0, length - 4 - 1);
    const overread = length - 4 < 1 ? this.#header.subarray(headerBytes) : Buffer.alloc(0);
    this.#header = Buffer.from(overread);
    this.#skipBytes = left;
  }
}
