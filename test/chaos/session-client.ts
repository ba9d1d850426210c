/** Requests of one caller who moves between regions: what each answer says about the session goes with the next one. */
import { z } from 'zod';
import type { ChaosRegion } from './chaos-region.ts';

const body = z.object({ value: z.object({ title: z.string() }) });
const timeoutMs = 20_000;

export interface SessionAnswer {
  readonly status: number;
  /** `null`: no record was shown. */
  readonly title: string | null;
}

export class SessionClient {
  readonly #key: string;
  #session: string | null = null;

  /** All of its requests are about one record. */
  constructor(key: string) {
    this.#key = key;
  }

  write({ site }: ChaosRegion, title: string): Promise<SessionAnswer> {
    return this.#ask(site.process.api, { method: 'PATCH', body: JSON.stringify({ set: { title } }) });
  }

  /** Waits for what the session has seen, but no longer. */
  read({ site }: ChaosRegion, waitMs: number): Promise<SessionAnswer> {
    return this.#ask(site.process.api, {}, { 'isthmus-wait': String(waitMs) });
  }

  async #ask(
    api: string,
    request: Pick<RequestInit, 'method' | 'body'>,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<SessionAnswer> {
    const response = await fetch(`${api}/v1/collections/products/records/${this.#key}`, {
      ...request,
      headers: {
        'content-type': 'application/json',
        ...(this.#session === null ? {} : { 'isthmus-session': this.#session }),
        ...headers,
      },
      signal: AbortSignal.timeout(timeoutMs),
    });
    const found = body.safeParse(await response.json());
    if (response.ok) this.#session = response.headers.get('isthmus-session') ?? this.#session;
    return { status: response.status, title: found.data?.value.title ?? null };
  }
}
