/** Conflicts of the region under test, as an operator lists and restores them, and how one arises. */
import { merge, schema } from '@isthmus/conflict';
import { expect } from 'vitest';
import { z } from 'zod';
import { type Answer, type Site, codeOf, usActor } from './site.ts';

export const declared = {
  products: { fields: { title: { type: 'register' }, status: { type: 'register', resolve: 'siblings' } } },
  profiles: { deletes: 'last-writer-wins', fields: { name: { type: 'register' } } },
};
export const apActor = 'ap.1.00000002';

const conflict = z.strictObject({
  id: z.string().regex(/^[A-Za-z0-9_-]+$/),
  collection: z.string(),
  key: z.string(),
  field: z.string(),
  resolution: z.enum(['last-writer', 'siblings']),
  version: z.string(),
  siblings: z.array(
    z.strictObject({
      value: z.unknown(),
      at: z.iso.datetime(),
      region: z.string(),
      actor: z.string(),
      shown: z.boolean(),
      why: z.string().min(1),
    }),
  ),
});
const page = z.strictObject({
  conflicts: z.array(conflict),
  unreadable: z.array(
    z.strictObject({
      collection: z.string(),
      key: z.string(),
      version: z.string().nullable(),
      unreadable: z.strictObject({
        code: z.literal('newer-format'),
        format: z.string(),
        supported: z.string(),
      }),
    }),
  ),
  next: z.string().nullable(),
  scanned: z.number().int(),
});

type Conflict = z.infer<typeof conflict>;

const types = {
  products: schema({ title: { type: 'register' }, status: { type: 'register' } }),
  profiles: schema({ name: { type: 'register' } }, { deletes: 'last-writer-wins' }),
};

interface Request {
  readonly method?: string;
  readonly body?: unknown;
  readonly headers?: object;
}

interface Arrival {
  readonly collection?: 'products' | 'profiles';
  readonly actor?: string;
  readonly aheadMs?: number;
}

export const refusalOf = (answer: Answer) => [answer.status, codeOf(answer)];

export async function call(
  url: string,
  { method = 'GET', body, headers = {} }: Request = {},
): Promise<Answer> {
  const type = body === undefined ? {} : { 'content-type': 'application/json' };
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url, {
    method,
    headers: { ...type, ...headers },
    ...(text === undefined ? {} : { body: text }),
  });
  const answered = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: answered === '' ? null : JSON.parse(answered),
  };
}

export class Conflicts {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  recordUrl(key: string, collection = 'products'): string {
    return this.#site.apiUrl + this.#site.path(key, collection);
  }

  list(query = ''): Promise<Answer> {
    return call(`${this.#site.adminUrl}/v1/conflicts${query}`);
  }

  async page(query = ''): Promise<z.infer<typeof page>> {
    return page.parse((await this.list(query)).body);
  }

  ofKey(key: string, collection = 'products'): string {
    return `?collection=${collection}&key=${encodeURIComponent(this.#site.prefix + key)}`;
  }

  async of(key: string, collection = 'products'): Promise<readonly Conflict[]> {
    return (await this.page(this.ofKey(key, collection))).conflicts;
  }

  restore(
    id: string,
    body?: unknown,
    rest: { readonly query?: string; readonly headers?: object } = {},
  ): Promise<Answer> {
    return call(`${this.#site.adminUrl}/v1/conflicts/${id}/restore${rest.query ?? ''}`, {
      method: 'POST',
      ...(body === undefined ? {} : { body }),
      ...(rest.headers === undefined ? {} : { headers: rest.headers }),
    });
  }

  /** What another region wrote without having seen our write arrives; by its clock it is the later one. */
  async arrive(
    key: string,
    value: Readonly<Record<string, unknown>>,
    { collection = 'products', actor = usActor, aheadMs = 60_000 }: Arrival = {},
  ): Promise<void> {
    const { database, prefix } = this.#site;
    const now = Math.floor(database.clock.nowMs()) + aheadMs;
    const { delta } = types[collection].edit(new Uint8Array(), { actor, now }, (editor) => {
      for (const [field, one] of Object.entries(value)) editor.set([field], one);
    });
    await database.records.commitLocal({
      ids: [{ collection, key: prefix + key }],
      decide: ({ states }) => [{ index: 0, state: merge(states[0] ?? new Uint8Array(), delta).state, delta }],
    });
  }

  /** The conflict of a title that says eu here and us elsewhere. */
  async ofTitle(key: string): Promise<Conflict> {
    await this.#site.put(key, { title: 'eu' });
    await this.arrive(key, { title: 'us' });
    const [found] = await this.of(key);
    return found ?? expect.fail('there is a conflict');
  }

  async stored(): Promise<readonly string[]> {
    const rows: string[] = [];
    for (const collection of ['products', 'profiles', 'gone'])
      for await (const chunk of this.#site.database.records.scan(collection))
        for (const row of chunk) rows.push(`${row.key} ${Buffer.from(row.state).toString('hex')}`);
    return rows;
  }
}
