/**
 * When a write becomes visible at the target: one connection to the target's Postgres asks for the rows of the few
 * writes that are being followed, again two milliseconds after it is answered, and only while there are any. A write became
 * visible between the sending of the last question that missed it and the arrival of the answer that showed it; the
 * middle counts, and half the width is the resolution, which is reported with the figures. Without the moment's rest
 * the questions take a third of a core from what is measured.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { Latency } from '../histogram.ts';
import { connect } from '../peers/own-database.ts';
import { collection } from '../workload.ts';

const select = {
  name: 'follow',
  text: 'SELECT key, state FROM isthmus.record WHERE collection = $1 AND key = ANY ($2::text[])',
};
/** Half of it is added to the resolution. */
const restMs = 2;
const planning = 'SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off';

interface Followed {
  readonly marker: Buffer;
  readonly fromMs: number;
  /** When the newest question that missed it was sent. */
  missedMs: number;
  readonly found: () => void;
}

export class PeerPoll {
  readonly visible = new Latency();
  readonly resolution = new Latency();
  readonly #client: pg.Client;
  readonly #followed = new Map<string, Followed>();
  #polling: Promise<void> | null = null;

  private constructor(client: pg.Client) {
    this.#client = client;
  }

  static async open(databaseUrl: string): Promise<PeerPoll> {
    const client = await connect(databaseUrl);
    await client.query(planning);
    return new PeerPoll(client);
  }

  /** Follows a write that has just been acknowledged; resolves when it is visible. */
  follow(key: string, marker: string): Promise<void> {
    const fromMs = performance.now();
    return new Promise((found) => {
      this.#followed.set(key, { marker: Buffer.from(marker), fromMs, missedMs: fromMs, found });
      this.#polling ??= this.#poll();
    });
  }

  async close(): Promise<void> {
    this.#followed.clear();
    await this.#polling;
    await this.#client.end();
  }

  async #poll(): Promise<void> {
    while (this.#followed.size > 0) {
      const sentMs = performance.now();
      const { rows } = await this.#client.query<{ key: string; state: Buffer }>({
        ...select,
        values: [collection, [...this.#followed.keys()]],
      });
      this.#judge(rows, { sentMs, receivedMs: performance.now() });
      await delay(restMs);
    }
    this.#polling = null;
  }

  #judge(
    rows: readonly { key: string; state: Buffer }[],
    { sentMs, receivedMs }: { sentMs: number; receivedMs: number },
  ): void {
    const states = new Map(rows.map(({ key, state }) => [key, state]));
    for (const [key, followed] of this.#followed) {
      if (states.get(key)?.includes(followed.marker)) {
        this.#followed.delete(key);
        this.visible.record((followed.missedMs + receivedMs) / 2 - followed.fromMs);
        this.resolution.record((receivedMs - followed.missedMs) / 2);
        followed.found();
      } else if (followed.fromMs <= sentMs) followed.missedMs = sentMs;
    }
  }
}
