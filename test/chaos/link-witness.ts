/**
 * Looks several times a second at what regions say of links while these are bad but not cut, and holds it against what
 * has come over them: none may be called connected over which nothing has come for longer than the monitor needs, and of
 * none may it be said that what comes in is missing while all of it has come for as long.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { freshMs, graceMs, oldMs } from '@isthmus/replication/links/link-monitor';
import type { Stage } from './stage.ts';

export interface Seen {
  /** Worst that any region told. */
  readonly worstLagSeconds: number;
  /** All that any link was called. */
  readonly states: readonly string[];
}

type Direction = readonly [name: string, peer: string];

const intervalMs = 250;
/** What the monitor needs, a look of the oracle, and as much again on a busy machine. */
const longMs = 2 * (oldMs + graceMs);
const saysNothingComes = new Set(['partitioned', 'one-way-in']);

interface Standing {
  /** Oldest that is missing; `null`: nothing is. */
  readonly key: string | null;
  readonly sinceMs: number;
}

export class LinkWitness {
  readonly #stage: Stage;
  readonly #directions: readonly Direction[];
  readonly #standing = new Map<string, Standing>();
  /** By direction, since when all that came was there within the time of a fresh signal. */
  readonly #freshSinceMs = new Map<string, number | null>();
  readonly #states = new Set<string>();
  readonly #wrong: string[] = [];
  readonly #ended = new AbortController();
  #worstLagSeconds = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(stage: Stage, directions: readonly Direction[]) {
    this.#stage = stage;
    this.#directions = directions;
  }

  start(): void {
    this.#running = this.#watch();
  }

  async stop(): Promise<void> {
    this.#ended.abort();
    await this.#running;
  }

  /** Throws the first that was wrong. */
  async verdict(): Promise<Seen> {
    await this.stop();
    const [first] = this.#wrong;
    if (first !== undefined) throw new Error(first);
    return { worstLagSeconds: this.#worstLagSeconds, states: [...this.#states].toSorted() };
  }

  async #watch(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      for (const direction of this.#directions) await this.#look(direction);
      await delay(intervalMs);
    }
  }

  async #look(direction: Direction): Promise<void> {
    const [name, peer] = direction;
    const { client } = this.#stage.region(name);
    const told = await client.peer(peer).catch(() => null);
    if (told === null) return;
    this.#states.add(told.link);
    this.#worstLagSeconds = Math.max(this.#worstLagSeconds, told.lagSeconds ?? 0);
    const standsMs = await this.#standsMs(direction);
    const passesMs = this.#passesMs(direction);
    if (told.link === 'connected' && standsMs > longMs)
      this.#wrong.push(`${name} calls ${peer} connected, of which nothing has come for ${standsMs} ms`);
    if (saysNothingComes.has(told.link) && passesMs > longMs)
      this.#wrong.push(`${name} calls ${peer} ${told.link}, all of which has come for ${passesMs} ms`);
  }

  /** For how long the oldest that is missing has been the same; it is looked for once more. */
  async #standsMs([name, peer]: Direction): Promise<number> {
    const nowMs = performance.now();
    const direction = `${name} of ${peer}`;
    const key = this.#stage.parts.oracle.missing(peer, name)[0]?.key ?? null;
    const known = this.#standing.get(direction);
    if (known === undefined || key === null || known.key !== key) {
      this.#standing.set(direction, { key, sinceMs: nowMs });
      return 0;
    }
    const stands = Math.round(nowMs - known.sinceMs);
    if (stands <= longMs) return stands;
    const { status } = await this.#stage.region(name).client.get('products', key);
    return status === 404 ? stands : 0;
  }

  /** For how long everything has been there within the time of a fresh signal. */
  #passesMs([name, peer]: Direction): number {
    const nowMs = performance.now();
    const direction = `${name} of ${peer}`;
    const oldestMs = this.#stage.parts.oracle.missing(peer, name)[0]?.ackedAtMs ?? nowMs;
    const isFresh = nowMs - oldestMs <= freshMs;
    const sinceMs = isFresh ? (this.#freshSinceMs.get(direction) ?? nowMs) : null;
    this.#freshSinceMs.set(direction, sinceMs);
    return sinceMs === null ? 0 : Math.round(nowMs - sinceMs);
  }
}
