/**
 * Writers against one region each, through every fault, because going on is what is tested. Every answer goes into the
 * history. A writer whose request was lost goes on under another name: the lost request may still take effect after
 * its next one, so the two no longer follow each other.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { History, HistoryEvent } from '../checkers/history.ts';
import type { RegionClient } from '../e2e/region-client.ts';
import { drawOperation } from './operation.ts';
import { between } from './random.ts';
import { type Random, randomFrom } from '@isthmus/loadtest/random';
import { send } from './send.ts';

export interface LoadOptions {
  readonly clients: readonly RegionClient[];
  readonly seed: number;
  /** Called with each event when its answer has come. */
  readonly onEvent: (event: HistoryEvent) => void;
}

const writersOfRegion = 5;
const usualThinkMs = 12;
const afterFailureMs = 60;

export class Load {
  readonly prefix: string;
  readonly #options: LoadOptions;
  readonly #events: HistoryEvent[] = [];
  readonly #acknowledged = new Map<string, number>();
  readonly #writers: readonly Promise<void>[];
  #thinkMs = usualThinkMs;
  #isStopped = false;

  constructor(options: LoadOptions) {
    this.#options = options;
    this.prefix = `c${options.seed}-`;
    this.#writers = options.clients.flatMap((client, at) =>
      Array.from({ length: writersOfRegion }, (_, index) =>
        this.#write(client, index, randomFrom(options.seed * 1000 + at * 100 + index)),
      ),
    );
  }

  get events(): History {
    return this.#events;
  }

  acknowledged(region?: string): number {
    if (region !== undefined) return this.#acknowledged.get(region) ?? 0;
    return [...this.#acknowledged.values()].reduce((sum, count) => sum + count, 0);
  }

  /** From the next write on; a fault that lasts needs no more writes than a short one. `null`: as usual. */
  think(ms: number | null): void {
    this.#thinkMs = ms ?? usualThinkMs;
  }

  async stop(): Promise<History> {
    this.#isStopped = true;
    await Promise.all(this.#writers);
    return this.#events;
  }

  async #write(client: RegionClient, index: number, next: Random): Promise<void> {
    const { region } = client;
    let lives = 0;
    for (let step = 0; !this.#isStopped; step++) {
      const process = `${region}${index}.${lives}`;
      const drawn = drawOperation({ prefix: this.prefix, process, step, next });
      const invokedAtMs = performance.now();
      const outcome = await send(client, drawn);
      this.#add({ process, region, invokedAtMs, completedAtMs: performance.now(), ...outcome });
      if (outcome.result === 'info') lives++;
      const isHeld = outcome.result !== 'ok' && (outcome.status === null || outcome.status >= 500);
      await delay(isHeld ? afterFailureMs : between(next, 0, 2 * this.#thinkMs));
    }
  }

  #add(event: HistoryEvent): void {
    this.#events.push(event);
    const { region, result } = event;
    if (result === 'ok') this.#acknowledged.set(region, this.acknowledged(region) + 1);
    this.#options.onEvent(event);
  }
}
