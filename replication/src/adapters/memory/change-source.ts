/**
 * The change source on the log of a database in memory: held to the same contract as the one that reads Postgres. The
 * stream is the slot's only one, begins where the slot was confirmed, and is lost when the server ends its
 * connections.
 */
import { AssertionFailure, ReplicationError, assert } from '../../errors.ts';
import type { Commit, Lsn } from '../../ports/change.ts';
import type { ChangeSource, ChangeStream } from '../../ports/change-source.ts';
import type { MemoryDatabase, MemoryLock } from './database.ts';

const readLimitBytes = 1024 * 1024;

export class MemoryChangeSource implements ChangeSource {
  readonly #database: MemoryDatabase;

  constructor(database: MemoryDatabase) {
    this.#database = database;
  }

  async open(): Promise<ChangeStream> {
    const start = this.#database.wal.confirmed;
    if (start === null)
      throw new ReplicationError('slot-lost', 'the slot does not exist or was invalidated', {
        retriable: false,
      });
    const lock = this.#database.tryLock('slot');
    if (lock === null)
      throw new ReplicationError('slot-held', 'another relay holds the slot', { retriable: true });
    return new MemoryChangeStream(this.#database, lock, start);
  }
}

class MemoryChangeStream implements ChangeStream {
  readonly start: Lsn;
  readonly #database: MemoryDatabase;
  readonly #lock: MemoryLock;
  readonly #forget: () => void;
  #delivered: Lsn;
  #failure: ReplicationError | null = null;
  #wake: (() => void) | null = null;

  constructor(database: MemoryDatabase, lock: MemoryLock, start: Lsn) {
    this.#database = database;
    this.#lock = lock;
    this.start = start;
    this.#delivered = start;
    this.#forget = database.whenDisconnected(() =>
      this.#end('source-lost', 'the server has ended the stream'),
    );
    database.wal.onFlushed = () => this.#wakeReader();
  }

  async read(): Promise<readonly Commit[]> {
    assert(this.#wake === null, 'a change stream has one reader');
    for (;;) {
      if (this.#failure === null && this.#database.wal.confirmed === null)
        this.#end('source-lost', 'the slot is gone');
      if (this.#failure !== null) throw this.#failure;
      const commits = this.#database.wal.after(this.#delivered, readLimitBytes);
      if (commits.length > 0) {
        this.#delivered = commits.at(-1)?.end ?? this.#delivered;
        return commits;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  confirm(end: Lsn): void {
    if (end > this.#delivered) throw new AssertionFailure(`confirmed ${end}, handed out ${this.#delivered}`);
    if (this.#failure === null) this.#database.wal.confirm(end);
  }

  async close(): Promise<void> {
    if (this.#failure === null) this.#database.wal.onFlushed = () => undefined;
    this.#end('closed', 'the change stream is closed');
    this.#forget();
    this.#lock.release();
  }

  #end(code: 'closed' | 'source-lost', message: string): void {
    if (this.#failure === null || code === 'closed')
      this.#failure = new ReplicationError(code, message, { retriable: code === 'source-lost' });
    this.#wakeReader();
  }

  #wakeReader(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
