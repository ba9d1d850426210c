/**
 * The stream of a region's write-ahead log as one process reads it: it falls with the process's session at the
 * server, and what has been handed out may be lost on the way like everything else.
 */
import { ReplicationError, assert } from '@isthmus/replication/errors';
import type { Commit, Lsn } from '@isthmus/replication/ports/change';
import type { ChangeSource, ChangeStream } from '@isthmus/replication/ports/change-source';
import { noticeMs, openStreamKind, readKind, type SimPostgres } from './sim-postgres.ts';

export class SimChangeSource implements ChangeSource {
  readonly #postgres: SimPostgres;

  constructor(postgres: SimPostgres) {
    this.#postgres = postgres;
  }

  async open(): Promise<ChangeStream> {
    const take = async (): Promise<SimChangeStream> =>
      new SimChangeStream(this.#postgres, await this.#postgres.region.source.open());
    const giveBack = (stream: SimChangeStream): void => void stream.close();
    const stream = await this.#postgres.take('open stream', take, { giveBack, kind: openStreamKind });
    assert(stream !== null, 'a source gives a stream or rejects');
    return stream;
  }
}

class SimChangeStream implements ChangeStream {
  readonly start: Lsn;
  readonly #postgres: SimPostgres;
  readonly #inner: ChangeStream;
  readonly #forget: () => void;
  #isClosed = false;
  #end: ((failure: ReplicationError) => void) | null = null;

  constructor(postgres: SimPostgres, inner: ChangeStream) {
    this.start = inner.start;
    this.#postgres = postgres;
    this.#inner = inner;
    this.#forget = postgres.hold(() => void inner.close());
  }

  read(): Promise<readonly Commit[]> {
    if (this.#isClosed) return Promise.reject(closed());
    return new Promise((resolve, reject) => {
      this.#end = reject;
      this.#inner.read().then(
        (commits) => this.#arrive(() => resolve(commits)),
        (reason: unknown) => this.#arrive(() => reject(reason)),
      );
    });
  }

  confirm(end: Lsn): void {
    this.#postgres.region.postgres.serve({
      perform: () => this.#inner.confirm(end),
      drop: () => undefined,
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#end?.(closed());
    this.#forget();
    await this.#inner.close();
  }

  #arrive(news: () => void): void {
    const { postgres } = this.#postgres.region;
    const arrive = (): void => {
      if (postgres.isUp && postgres.isFrozen) this.#postgres.after(noticeMs, arrive);
      else this.#postgres.hear(news);
    };
    this.#postgres.after(postgres.delayMs(readKind.leastMs, readKind.mostMs), arrive);
  }
}

function closed(): ReplicationError {
  return new ReplicationError('closed', 'the change stream is closed', { retriable: false });
}
