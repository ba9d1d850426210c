/**
 * The digest of a collection (P7): the sum modulo 2^128 of one hash for each live record, computed from one snapshot.
 * A sum does not depend on order, so regions that show the same records have equal digests whatever the order in
 * which changes reached them. Scans are long, so callers who ask while one runs share the next one, and not that: it does
 * not show what was written since it began, and who compares digests takes them for proof of all that was there when it
 * asked. Few collections are read at once, because each scan holds a connection that callers of the region need. Closing
 * ends scans after the records in hand: who closes the database waits for whoever reads it.
 */
import { ReplicationError } from '@isthmus/replication/errors';
import type { Clock } from '@isthmus/replication/ports/clock';
import type { RecordStore } from '@isthmus/replication/ports/record-store';
import { Turns } from '../turns.ts';
import type { RecordType } from '../records/record-type.ts';

export interface Digest {
  /** 32 hexadecimal digits. */
  readonly digest: string;
  readonly records: number;
  /** RFC 3339, by the region's database clock, just before the snapshot was taken. */
  readonly asOf: string;
}

const modulus = 1n << 128n;
/** Peers ask one after the other and give up by themselves. */
const turnOptions = { atOnce: 2, waitMs: 10 * 60_000, what: 'digests' } as const;

interface DigesterOptions {
  readonly store: Pick<RecordStore, 'scan'>;
  readonly clock: Clock;
}

export class Digester {
  readonly #options: DigesterOptions;
  readonly #running = new Map<string, Promise<Digest>>();
  /** Each begins when what runs has ended. */
  readonly #next = new Map<string, Promise<Digest>>();
  readonly #turns = new Turns(turnOptions);
  #isClosed = false;

  constructor(options: DigesterOptions) {
    this.#options = options;
  }

  /** Of a moment after it was asked for. Rejects with `closed`, and with what the store rejects with. */
  digest(collection: string, type: RecordType): Promise<Digest> {
    const known = this.#next.get(collection);
    if (known !== undefined) return known;
    const running = this.#running.get(collection);
    if (running === undefined) return this.#start(collection, type);
    const begin = (): Promise<Digest> => {
      this.#next.delete(collection);
      return this.#start(collection, type);
    };
    const next = running.then(begin, begin);
    this.#next.set(collection, next);
    return next;
  }

  close(): void {
    this.#isClosed = true;
  }

  #start(collection: string, type: RecordType): Promise<Digest> {
    const scanning = this.#turns.take(() => this.#scan(collection, type));
    const started = scanning.finally(() => this.#running.delete(collection));
    this.#running.set(collection, started);
    return started;
  }

  async #scan(collection: string, type: RecordType): Promise<Digest> {
    if (this.#isClosed) throw closing();
    const asOf = new Date(this.#options.clock.nowMs()).toISOString();
    let sum = 0n;
    let records = 0;
    for await (const chunk of this.#options.store.scan(collection)) {
      if (this.#isClosed) throw closing();
      for (const { key, state } of chunk) {
        const hash = type.liveHash({ collection, key }, state);
        if (hash === null) continue;
        sum = (sum + hash) % modulus;
        records++;
      }
    }
    return { digest: sum.toString(16).padStart(32, '0'), records, asOf };
  }
}

function closing(): ReplicationError {
  return new ReplicationError('closed', 'the process is closing', { retriable: true });
}
