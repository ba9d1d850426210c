/**
 * The change source over the streaming replication protocol (P2). It tells Postgres as `flush` nothing but what
 * `confirm` was given, and as `write` what has arrived, so that nothing unconfirmed is ever forgotten and a server
 * with nothing to say stays silent. It must never confirm the end of a keepalive: the position it names may lie
 * beyond commits that were not published. A second, ordinary connection stands guard: it reads where the slot
 * begins, it notices a dead server although the stream is held back, and when the server begins to shut down it is
 * told (57P01), upon which the stream is closed at once, because the server would wait for it. Unread commits are
 * bounded by holding back the socket, while statuses go on, so that the server does not give up on a slow reader.
 */
import { performance } from 'node:perf_hooks';
import { AssertionFailure, ReplicationError, assert } from '../../errors.ts';
import type { Commit, Lsn } from '../../ports/change.ts';
import type { ChangeSource, ChangeStream, CommitRead } from '../../ports/change-source.ts';
import { TransactionReader, readFrame, writeStatus } from './pgoutput.ts';
import type { SizedCommit } from './pgoutput.ts';
import { defaultSlotName } from './relay-slot.ts';
import { ReplicationConnection } from './replication-connection.ts';
import type { ReplicationListener, ReplicationOptions } from './replication-connection.ts';
import { SlotGuard } from './slot-guard.ts';

export interface ChangeSourceOptions {
  readonly connectionString: string;
  readonly slot?: string;
  /** Unread commits are held back beyond this. */
  readonly maxUnreadBytes?: number;
  /** How long the server keeps the slot for a relay that has fallen silent. */
  readonly walSenderTimeoutMs?: number;
  /** A commit is handed out. */
  readonly onRead?: (read: CommitRead) => void;
}

/** On its way to its reader. */
const statusIntervalMs = 1_000;
const pingAfterMs = 4_000;
/** Above half of the sender's time-out, after which even a server busy with a huge transaction answers. */
const silenceLimitMs = 30_000;
const readLimitBytes = 1024 * 1024;

export class PostgresChangeSource implements ChangeSource {
  readonly #options: ReplicationOptions;
  readonly #reading: ReadingOptions;

  constructor(options: ChangeSourceOptions) {
    this.#options = {
      connectionString: options.connectionString,
      slot: options.slot ?? defaultSlotName,
      walSenderTimeoutMs: options.walSenderTimeoutMs ?? 20_000,
    };
    const { maxUnreadBytes = 8 * 1024 * 1024, onRead = () => undefined } = options;
    this.#reading = { maxUnreadBytes, onRead };
  }

  async open(): Promise<ChangeStream> {
    const stream = new PostgresChangeStream(this.#reading);
    const guard = await SlotGuard.connect(this.#options);
    try {
      const connection = await ReplicationConnection.start(this.#options, stream);
      await stream.attach(connection, guard);
    } catch (error) {
      const failure = await guard.explain(error);
      await stream.close();
      await guard.close();
      throw failure;
    }
    return stream;
  }
}

interface ReadingOptions {
  readonly maxUnreadBytes: number;
  readonly onRead: (read: CommitRead) => void;
}

interface Unread extends SizedCommit {
  readonly receivedMs: number;
}

interface Attached {
  readonly connection: ReplicationConnection;
  readonly guard: SlotGuard;
  readonly start: Lsn;
}

class PostgresChangeStream implements ChangeStream, ReplicationListener {
  readonly #options: ReadingOptions;
  readonly #transactions = new TransactionReader();
  #attached: Attached | null = null;
  #connection: ReplicationConnection | null = null;
  #ticker: NodeJS.Timeout | undefined;
  #statusDue: NodeJS.Immediate | undefined;
  #received: Lsn = 0n;
  #confirmed: Lsn = 0n;
  #delivered: Lsn = 0n;
  #unread: Unread[] = [];
  #unreadBytes = 0;
  #paused = false;
  #heardAtMs = performance.now();
  #failure: ReplicationError | null = null;
  #wake: (() => void) | null = null;

  constructor(options: ReadingOptions) {
    this.#options = options;
  }

  get start(): Lsn {
    assert(this.#attached !== null, 'a stream is attached before it is handed out');
    return this.#attached.start;
  }

  /** A stream may have ended by now; then its reader learns it, after what came before. */
  async attach(connection: ReplicationConnection, guard: SlotGuard): Promise<void> {
    this.#connection = connection;
    const start = await guard.confirmedFlush();
    this.#attached = { connection, guard, start };
    this.#delivered = start;
    if (this.#failure !== null) return this.#letGo();
    if (this.#paused) connection.pause();
    guard.watch((cause) => this.ended(cause));
    this.#ticker = setInterval(() => this.#tick(), statusIntervalMs);
  }

  async read(): Promise<readonly Commit[]> {
    assert(this.#wake === null, 'a change stream has one reader');
    if (this.#unread.length === 0 && this.#failure === null)
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    if (this.#unread.length > 0) return this.#takeUnread();
    assert(this.#failure !== null, 'a reader is woken for commits or for the end');
    throw this.#failure;
  }

  confirm(end: Lsn): void {
    if (end > this.#delivered) throw new AssertionFailure(`confirmed ${end}, handed out ${this.#delivered}`);
    if (end <= this.#confirmed) return;
    this.#confirmed = end;
    this.#statusDue ??= setImmediate(() => this.#sendStatus(false));
  }

  async close(): Promise<void> {
    this.#unread = [];
    this.#unreadBytes = 0;
    const closed = new ReplicationError('closed', 'the change stream is closed', { retriable: false });
    await this.#end(closed);
    this.#failure = closed;
  }

  frame(chunk: Buffer): void {
    if (this.#failure !== null) return;
    this.#heardAtMs = performance.now();
    try {
      this.#takeFrame(chunk);
    } catch (error) {
      if (!(error instanceof ReplicationError)) throw error;
      void this.#end(error);
    }
  }

  ended(cause: Error): void {
    const detail = `the change stream was lost: ${cause.message}`;
    void this.#end(new ReplicationError('source-lost', detail, { retriable: true, cause }));
  }

  #takeFrame(chunk: Buffer): void {
    const frame = readFrame(chunk);
    if (frame.end > this.#received) this.#received = frame.end;
    if (frame.kind === 'keepalive') {
      if (frame.replyRequested) this.#sendStatus(false);
      return;
    }
    const taken = this.#transactions.take(frame.message);
    if (taken !== null) this.#add(taken);
  }

  #add(taken: SizedCommit): void {
    this.#unread.push({ ...taken, receivedMs: this.#heardAtMs });
    this.#unreadBytes += taken.sizeBytes;
    if (this.#unreadBytes >= this.#options.maxUnreadBytes && !this.#paused) {
      this.#paused = true;
      this.#connection?.pause();
    }
    this.#wakeReader();
  }

  #takeUnread(): readonly Commit[] {
    let count = 0;
    let sizeBytes = 0;
    for (const { sizeBytes: next } of this.#unread) {
      if (count > 0 && sizeBytes + next > readLimitBytes) break;
      sizeBytes += next;
      count++;
    }
    const taken = this.#unread.splice(0, count);
    const commits = taken.map(({ commit }) => commit);
    this.#tell(taken);
    this.#unreadBytes -= sizeBytes;
    this.#delivered = commits.at(-1)?.end ?? this.#delivered;
    this.#resumeIfRead();
    return commits;
  }

  #tell(taken: readonly Unread[]): void {
    const nowMs = performance.now();
    for (const { atMs: committedMs, receivedMs } of taken)
      this.#options.onRead({ committedMs, waitedMs: nowMs - receivedMs });
  }

  #resumeIfRead(): void {
    if (!this.#paused || this.#unreadBytes > this.#options.maxUnreadBytes / 2) return;
    this.#paused = false;
    this.#heardAtMs = performance.now();
    this.#connection?.resume();
  }

  #tick(): void {
    const silentMs = this.#paused ? 0 : performance.now() - this.#heardAtMs;
    if (silentMs > silenceLimitMs) {
      this.ended(
        new ReplicationError('source-lost', `silent for ${Math.round(silentMs)} ms`, { retriable: true }),
      );
      return;
    }
    this.#sendStatus(silentMs > pingAfterMs);
  }

  #sendStatus(replyRequested: boolean): void {
    clearImmediate(this.#statusDue);
    this.#statusDue = undefined;
    const position = { write: this.#received, flush: this.#confirmed };
    this.#connection?.send(writeStatus({ ...position, replyRequested, nowMs: Date.now() }));
  }

  async #end(failure: ReplicationError): Promise<void> {
    if (this.#failure === null) {
      if (this.#confirmed > 0n) this.#sendStatus(false);
      this.#failure = failure;
      clearInterval(this.#ticker);
      this.#wakeReader();
    }
    await this.#letGo();
  }

  async #letGo(): Promise<void> {
    await Promise.all([this.#connection?.close(), this.#attached?.guard.close()]);
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
