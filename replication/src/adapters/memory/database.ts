/**
 * One region's database in memory: tables, a write-ahead log with a slot, and locks that fall with the server. A
 * transaction runs to its end within one call and is all or nothing. A durable commit flushes itself and everything
 * before it; another one may be taken back by a crash, together with all that followed it, as with Postgres's
 * `synchronous_commit = off`. It is gone with its process; a copy of it can be put back, which is what a restored
 * backup is.
 */
import { assert } from '../../errors.ts';
import type { Beat, Change, Lsn } from '../../ports/change.ts';
import { MemoryTable, type Undo } from './table.ts';
import { MemoryWal } from './wal.ts';

export interface MemoryDatabaseOptions {
  /** The database's wall clock, milliseconds since 1970. */
  readonly nowMs: () => number;
  /** A slot that keeps more bytes than this is invalidated. */
  readonly maxRetainedBytes?: number;
}

/** What a transaction writes into the log beside its rows. */
export interface Emission {
  readonly changes: Change[];
  readonly beats: Beat[];
}

export interface MemoryLock {
  readonly isHeld: boolean;
  readonly lost: Promise<void>;
  release(): void;
}

const defaultRetainedBytes = 256 * 1024 * 1024;
/** So many changes of rows are flushed without being asked, as the log's writer does. */
const maxUnflushed = 10_000;

export class MemoryDatabase {
  readonly nowMs: () => number;
  readonly wal: MemoryWal;
  readonly #tables = new Map<string, { readonly copy: () => () => void }>();
  readonly #locks = new Map<string, HeldMemoryLock>();
  #undo: Undo[] = [];
  #emission: Emission | null = null;
  readonly #onDisconnect = new Set<() => void>();
  #starts = 1;
  #disconnects = 0;

  constructor({ nowMs, maxRetainedBytes }: MemoryDatabaseOptions) {
    this.nowMs = nowMs;
    this.wal = new MemoryWal({ maxRetainedBytes: maxRetainedBytes ?? defaultRetainedBytes });
    this.wal.createSlot();
  }

  /** How often the server was started. */
  get starts(): number {
    return this.#starts;
  }

  /** How often all connections were ended. */
  get disconnects(): number {
    return this.#disconnects;
  }

  /** Each name once: the caller is the only one who knows the table. */
  table<V, K = string>(name: string): MemoryTable<V, K> {
    assert(!this.#tables.has(name), `a second table named ${name}`);
    const table = new MemoryTable<V, K>((undo) => this.#note(undo));
    this.#tables.set(name, table);
    return table;
  }

  /** What `body` throws undoes it and is thrown on. Returns the commit's end. */
  transact(isDurable: boolean, body: (emission: Emission) => void): Lsn {
    assert(this.#emission === null, 'a transaction runs to its end before another begins');
    const emission: Emission = { changes: [], beats: [] };
    const mark = this.#undo.length;
    this.#emission = emission;
    try {
      body(emission);
    } catch (reason) {
      this.#undoFrom(mark);
      throw reason;
    } finally {
      this.#emission = null;
    }
    const end = this.wal.append(emission);
    if (isDurable || this.#undo.length > maxUnflushed) this.flush();
    return end;
  }

  /** Everything so far survives a crash. */
  flush(): void {
    this.#undo = [];
    this.wal.flush();
  }

  /** `null` while somebody holds it. */
  tryLock(name: string): MemoryLock | null {
    if (this.#locks.has(name)) return null;
    const lock = new HeldMemoryLock(() => this.#locks.delete(name));
    this.#locks.set(name, lock);
    return lock;
  }

  /** Calls `end` when the server ends all connections; the returned function takes that back. */
  whenDisconnected(end: () => void): () => void {
    this.#onDisconnect.add(end);
    return () => this.#onDisconnect.delete(end);
  }

  /** Ends all connections: locks are free, streams are lost, rows stay. */
  disconnect(): void {
    this.#disconnects++;
    for (const lock of this.#locks.values()) lock.lose();
    this.#locks.clear();
    const listeners = [...this.#onDisconnect];
    this.#onDisconnect.clear();
    for (const end of listeners) end();
  }

  /** Loses what was not flushed, and all connections. */
  crash(): void {
    this.#starts++;
    this.#undoFrom(0);
    this.wal.crash();
    this.disconnect();
  }

  /** A copy of everything that is flushed by now; the returned function puts it back, and ends all connections. */
  copy(): () => void {
    this.flush();
    const restore = [this.wal.copy(), ...[...this.#tables.values()].map((table) => table.copy())];
    return () => {
      this.#starts++;
      this.#undo = [];
      for (const part of restore) part();
      this.disconnect();
    };
  }

  #note(undo: Undo): void {
    assert(this.#emission !== null, 'rows change in transactions only');
    this.#undo.push(undo);
  }

  #undoFrom(mark: number): void {
    for (const undo of this.#undo.splice(mark).toReversed()) undo();
  }
}

class HeldMemoryLock implements MemoryLock {
  readonly lost: Promise<void>;
  #lose: () => void = () => undefined;
  #free: (() => void) | null;

  constructor(free: () => void) {
    this.#free = free;
    this.lost = new Promise((resolve) => {
      this.#lose = resolve;
    });
  }

  get isHeld(): boolean {
    return this.#free !== null;
  }

  release(): void {
    this.#free?.();
    this.#free = null;
  }

  /** The server has taken it; releasing it afterwards does nothing. */
  lose(): void {
    this.#free = null;
    this.#lose();
  }
}
