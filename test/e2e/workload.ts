/**
 * Writers against one region each: increments of a few shared counters, sets of a few shared registers, inserts of
 * records of their own. Everything is drawn from a printed seed; every answer goes into the history. A writer goes on
 * through errors, because going on is what is tested.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { History, HistoryEvent, Operation } from '../checkers/history.ts';
import { isRefusedConnection, resultOf } from './region-client.ts';
import type { RegionClient, Reply } from './region-client.ts';

export interface WorkloadOptions {
  readonly regions: readonly RegionClient[];
  readonly writersPerRegion: number;
  readonly seed: number;
  /** A writer rests up to so long after each write, so that those that it writes to have some of the processor as well. */
  readonly mostRestMs?: number;
}

/** What it does, of all that a history can hold. */
type Written = Extract<Operation, { readonly kind: 'increment' | 'set' | 'insert' }>;

const usualRestMs = 10;
const afterFailureMs = 10;
const counterKeys = 12;
const registerKeys = 12;

export class Workload {
  readonly #options: WorkloadOptions;
  readonly #history: HistoryEvent[] = [];
  #stopped = false;
  #writers: readonly Promise<void>[] = [];

  constructor(options: WorkloadOptions) {
    this.#options = options;
  }

  /** All keys that it writes begin with this, so that several workloads can share a region. */
  get prefix(): string {
    return `w${this.#options.seed}-`;
  }

  get acknowledged(): number {
    return this.#history.filter((event) => event.result === 'ok').length;
  }

  acknowledgedIn(region: string): number {
    return this.#history.filter((event) => event.result === 'ok' && event.region === region).length;
  }

  start(): void {
    const { regions, writersPerRegion, seed } = this.#options;
    this.#writers = regions.flatMap((client, at) =>
      Array.from({ length: writersPerRegion }, (_, index) =>
        this.#write(client, `${client.region}-${index}`, random(seed * 1000 + at * 100 + index)),
      ),
    );
  }

  async stop(): Promise<History> {
    this.#stopped = true;
    await Promise.all(this.#writers);
    return this.#history;
  }

  async #write(client: RegionClient, process: string, next: () => number): Promise<void> {
    const { mostRestMs = usualRestMs } = this.#options;
    for (let step = 0; !this.#stopped; step++) {
      const operation = draw({ prefix: this.prefix, process, step }, next);
      const invokedAtMs = performance.now();
      const reply = await send(client, operation);
      const completedAtMs = performance.now();
      const result = reply === 'refused' ? 'fail' : reply === null ? 'info' : resultOf(reply);
      const status = reply === null || reply === 'refused' ? null : reply.status;
      this.#history.push({
        process,
        region: client.region,
        operation,
        invokedAtMs,
        completedAtMs,
        result,
        status,
      });
      await delay(result === 'ok' ? next() * mostRestMs : afterFailureMs);
    }
  }
}

function draw(
  { prefix, process, step }: { prefix: string; process: string; step: number },
  next: () => number,
): Written {
  const choice = next();
  if (choice < 0.4) {
    const amount = 1 + Math.floor(next() * 1_000_000);
    return { kind: 'increment', key: `${prefix}counter-${Math.floor(next() * counterKeys)}`, amount };
  }
  if (choice < 0.7) {
    const key = `${prefix}register-${Math.floor(next() * registerKeys)}`;
    return { kind: 'set', key, value: `${process}-${step}` };
  }
  return { kind: 'insert', key: `${prefix}insert/${process}-${step}` };
}

/** `refused`: no connection came about, so nothing happened. `null`: no answer came. */
async function send(client: RegionClient, operation: Written): Promise<Reply | 'refused' | null> {
  try {
    switch (operation.kind) {
      case 'increment':
        return await client.patch('products', operation.key, { increment: { likes: operation.amount } });
      case 'set':
        return await client.patch('products', operation.key, { set: { title: operation.value } });
      case 'insert':
        return await client.put('products', operation.key, { title: operation.key });
    }
  } catch (reason) {
    return isRefusedConnection(reason) ? 'refused' : null;
  }
}

/** Mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
