/**
 * A process that writes through the engine without HTTP: the journal and the Postgres adapter that a region process
 * uses, on the region's own database, as one more stateless writer beside it. It takes orders from its parent and ends
 * with it. Each write is a caller of its own, so batching is the journal's alone. A write that the engine refuses is
 * counted and told at a set rate, repeated while keys are written as fast as possible, and the end of the process where
 * callers wait for their answers.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { register, schema } from '@isthmus/conflict';
import { BusyPace } from '@isthmus/replication/adapters/node/busy-pace';
import { systemTimer } from '@isthmus/replication/adapters/node/system-timer';
import { type Database, openDatabase } from '@isthmus/replication/adapters/postgres/open-database';
import { Journal } from '@isthmus/replication/journal/journal';
import { ReplicationError } from '@isthmus/replication/errors';
import { actorOf, parseRegionId, type RegionId } from '@isthmus/replication/ports/identity';
import { Ticker } from '@isthmus/replication/ticker';
import { closedLoop } from '../closed-loop.ts';
import { LoadError } from '../errors.ts';
import { openLoop } from '../open-loop.ts';
import { collection, Workload, type Write } from '../workload.ts';
import { type FromWriter, type ToWriter, toWriter } from './protocol.ts';

const maxWaitingEdits = 20_000;
const maxOutstanding = 19_000;
const callersAtOnce = 1_500;
const progressIntervalMs = 250;
const calibrateIntervalMs = 1_000;
const drainMs = 10_000;
const maxAttempts = 100;
const retryMs = 100;

const products = schema(
  { title: register(), price: register(), status: register() },
  { deletes: 'add-wins' },
);

interface Engine {
  readonly database: Database;
  readonly journal: Journal;
  readonly seed: number;
  readonly calibration: Ticker;
}

class Writer {
  readonly #engine: Engine;
  #workload: Workload;
  #acknowledged = 0;
  #payloadBytes = 0;

  constructor(engine: Engine, keyCount: number) {
    this.#engine = engine;
    this.#workload = new Workload(engine.seed, keyCount);
  }

  drawFrom(keyCount: number): void {
    this.#workload = new Workload(this.#engine.seed, keyCount);
  }

  /** Bytes of a record's JSON in the mean. */
  get meanBytes(): number {
    return this.#workload.meanBytes;
  }

  async writeAll(count: number): Promise<void> {
    const startMs = performance.now();
    this.#begin();
    let left = count;
    const caller = async (): Promise<void> => {
      while (left > 0) {
        left--;
        await this.#persist(this.#workload.next());
      }
    };
    await this.#reporting(Promise.all(Array.from({ length: callersAtOnce }, caller)));
    const elapsedMs = performance.now() - startMs;
    this.#tell({ due: count, failed: 0, dropped: 0, elapsedMs, latency: null, firstFailure: null });
  }

  async runAt(ratePerS: number, durationMs: number): Promise<void> {
    this.#begin();
    const send = () => this.#write(this.#workload.next());
    const running = openLoop({ ratePerS, durationMs, maxOutstanding, drainMs, send });
    await this.#reporting(running);
    const { due, failed, dropped, elapsedMs, latency, firstFailure } = await running;
    const { curve, ...summary } = latency.summary();
    this.#tell({
      due,
      failed,
      dropped,
      elapsedMs,
      latency: { ...summary, curve: curve.map(([percentile, ms]): [number, number] => [percentile, ms]) },
      firstFailure,
    });
  }

  async runCallers(callers: number, durationMs: number): Promise<void> {
    this.#begin();
    const running = closedLoop({
      callers,
      durationMs,
      send: () => this.#write(this.#workload.next()),
    });
    await this.#reporting(running);
    const { done, elapsedMs } = await running;
    this.#tell({ due: done, failed: 0, dropped: 0, elapsedMs, latency: null, firstFailure: null });
  }

  #begin(): void {
    this.#acknowledged = 0;
    this.#payloadBytes = 0;
  }

  /** Repeats what the engine says may succeed later. */
  async #persist(write: Write): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#write(write);
      } catch (error) {
        if (!isRetriable(error) || attempt === maxAttempts) throw error;
        await delay(retryMs);
      }
    }
  }

  async #write({ key, value }: Write): Promise<void> {
    let payloadBytes = 0;
    await this.#engine.journal.write([
      {
        id: { collection, key },
        edit: (before, context) => {
          const { state, delta } = products.edit(before, context, (editor) => {
            editor.set('title', value.title);
            editor.set('price', value.price);
            editor.set('status', value.status);
          });
          payloadBytes = delta.length;
          return { kind: 'write', state, delta, result: null };
        },
      },
    ]);
    this.#acknowledged++;
    this.#payloadBytes += payloadBytes;
  }

  async #reporting(work: Promise<unknown>): Promise<void> {
    const timer = setInterval(
      () => tell({ kind: 'progress', acknowledged: this.#acknowledged }),
      progressIntervalMs,
    );
    try {
      await work;
    } finally {
      clearInterval(timer);
    }
  }

  #tell(done: Omit<Extract<FromWriter, { kind: 'done' }>, 'kind' | 'acknowledged' | 'payloadBytes'>): void {
    const { latency, ...rest } = done;
    tell({
      kind: 'done',
      acknowledged: this.#acknowledged,
      payloadBytes: this.#payloadBytes,
      latency,
      ...rest,
    });
  }
}

async function open(order: Extract<ToWriter, { kind: 'open' }>): Promise<Engine> {
  const region = regionOf(order.region);
  const database = await openDatabase({
    connectionString: order.database,
    region,
    peers: order.peers.map(regionOf),
  });
  const { identity, records, clock } = database;
  const journal = new Journal({
    store: records,
    clock,
    actor: actorOf(region, identity.incarnation),
    timer: systemTimer,
    maxWaitingEdits,
    paceMs: new BusyPace().paceMs,
    onBatch: () => undefined,
  });
  const calibration = new Ticker({
    timer: systemTimer,
    intervalMs: calibrateIntervalMs,
    run: async () => {
      try {
        await clock.calibrate();
      } catch (error) {
        if (!isRetriable(error)) throw error;
      }
    },
  });
  calibration.start();
  return { database, journal, seed: order.seed, calibration };
}

function isRetriable(error: unknown): boolean {
  return error instanceof ReplicationError && error.retriable;
}

function regionOf(name: string): RegionId {
  const region = parseRegionId(name);
  if (region === null) throw new LoadError('wrong-usage', `${JSON.stringify(name)} is no region`);
  return region;
}

function tell(message: FromWriter): void {
  process.send?.(message);
}

let engine: Engine | null = null;
let writer: Writer | null = null;

async function obey(order: ToWriter): Promise<void> {
  if (order.kind === 'open') {
    engine = await open(order);
    writer = new Writer(engine, order.keyCount);
    tell({ kind: 'opened', meanBytes: writer.meanBytes });
  } else if (order.kind === 'keys') {
    writer?.drawFrom(order.keyCount);
    tell({ kind: 'opened', meanBytes: writer?.meanBytes ?? 0 });
  } else if (order.kind === 'write') await writer?.writeAll(order.count);
  else if (order.kind === 'run') await writer?.runAt(order.ratePerS, order.durationMs);
  else if (order.kind === 'callers') await writer?.runCallers(order.callers, order.durationMs);
  else {
    await engine?.journal.close();
    await engine?.calibration.stop();
    await engine?.database.close();
    process.disconnect();
  }
}

process.on('message', (message) => {
  void obey(toWriter.parse(message));
});
process.on('disconnect', () => process.exit(0));
