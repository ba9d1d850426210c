/** The process as it is run: its exit codes, its start without a database, its end under load. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { type Postgres, startPostgres } from '@isthmus/local/postgres';
import { parseRegionId } from '@isthmus/replication/ports/identity';
import { encodeSession } from '@isthmus/replication/sessions/session-token';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const us = parseRegionId('us') ?? expect.fail('us is a region');
const children = new Set<ChildProcess>();
let folder = '';
let collections = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'isthmus-main-'));
  collections = join(folder, 'collections.json');
  const fields = { title: { type: 'register' }, likes: { type: 'counter' } };
  writeFileSync(collections, JSON.stringify({ collections: { products: { fields } } }));
});
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

function start(variables: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  return child;
}

async function finish(variables: Readonly<Record<string, string>>, args: readonly string[] = []) {
  const child = start(variables, args);
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { out, err, code: Number(code) };
}

const line = z.looseObject({ msg: z.string(), address: z.string().optional() });

/** Follows the log until both listeners have told their addresses. */
async function addresses(
  child: ReturnType<typeof start>,
  wanted: readonly string[],
): Promise<readonly string[]> {
  const found = new Map<string, string>();
  let rest = '';
  for await (const chunk of child.stdout) {
    rest += String(chunk);
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const one of lines) {
      const { msg, address } = line.parse(JSON.parse(one));
      if (address !== undefined) found.set(msg, address);
      else found.set(msg, '');
    }
    if (wanted.every((msg) => found.has(msg))) break;
  }
  return wanted.map((msg) => found.get(msg) ?? '');
}

const settings = (url: string) => ({
  ISTHMUS_REGION: 'eu',
  ISTHMUS_DATABASE_URL: url,
  ISTHMUS_API_ADDRESS: '127.0.0.1:0',
  ISTHMUS_ADMIN_ADDRESS: '127.0.0.1:0',
  ISTHMUS_COLLECTIONS: collections,
});

describe('without a usable configuration', () => {
  it('ends at once with exit code 2 and says all that is wrong', async () => {
    const ended = await finish({ ISTHMUS_REGION: 'EU', ISTHMUS_DATABSE_URL: 'postgres://u:s3cret@h/d' });
    expect(ended.code).toBe(2);
    expect(ended.out).toBe('');
    expect(ended.err).toContain('ISTHMUS_REGION holds "EU"; it takes');
    expect(ended.err).toContain('did you mean ISTHMUS_DATABASE_URL?');
    expect(ended.err).not.toContain('s3cret');
  });

  it('takes no other argument than --print-config', async () => {
    expect(await finish(settings('postgres://u:p@h/d'), ['--verbose'])).toMatchObject({ code: 2, out: '' });
  });

  it('prints what is in force, without secrets', async () => {
    const ended = await finish(settings('postgres://u:s3cret@h/d'), ['--print-config']);
    expect(ended.code).toBe(0);
    expect(JSON.parse(ended.out)).toMatchObject({ ISTHMUS_REGION: 'eu', ISTHMUS_ROLES: 'api,replicator' });
    expect(ended.out).not.toContain('s3cret');
  });

  it('ends with exit code 1 where an address is taken', async () => {
    const first = start(settings('postgres://u:p@127.0.0.1:1/d'));
    const [admin = ''] = await addresses(first, ['admin listener is up']);
    const taken = { ...settings('postgres://u:p@127.0.0.1:1/d'), ISTHMUS_ADMIN_ADDRESS: new URL(admin).host };
    const ended = await finish(taken);
    expect(ended.code).toBe(1);
    const held = new URL(admin).host;
    expect(ended.err).toContain(`ISTHMUS_ADMIN_ADDRESS holds ${held}; another process listens there`);
  });
});

describe('with a database', () => {
  let postgres: Postgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  }, 120_000);
  afterAll(() => postgres.stop());

  const patch = async (api: string, key: string): Promise<number | 'refused' | null> => {
    try {
      const response = await fetch(`${api}/v1/collections/products/records/${key}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ increment: { likes: 1 } }),
      });
      return response.status;
    } catch (error) {
      // Who comes when the listener is gone has sent nothing.
      const isRefused = error instanceof Error && JSON.stringify(error.cause).includes('ECONNREFUSED');
      return isRefused ? 'refused' : null;
    }
  };

  /** A request of which it can be told that the region has it: only then it asks for the body, and is sent it. */
  const arriving = (
    api: string,
    key: string,
    { method, headers = {}, body }: { method: string; headers?: Record<string, string>; body: string },
  ) => {
    const outgoing = request(`${api}/v1/collections/products/records/${key}`, {
      method,
      headers: { 'content-type': 'application/json', expect: '100-continue', ...headers },
    });
    outgoing.flushHeaders();
    const received = once(outgoing, 'continue').then(() => once(outgoing.end(body), 'finish'));
    const answer = new Promise<readonly [number | null, unknown]>((resolve) => {
      outgoing.once('response', (response) => {
        void text(response).then((told) => resolve([response.statusCode ?? null, JSON.parse(told)]));
      });
      outgoing.once('error', () => resolve([null, null]));
    });
    return { received, answer };
  };

  it('starts before the database does and is ready when it answers', async () => {
    await postgres.kill('SIGKILL');
    const child = start(settings(postgres.url));
    const [admin = ''] = await addresses(child, [
      'admin listener is up',
      'the database cannot be opened yet',
    ]);
    expect((await fetch(`${admin}/livez`)).status).toBe(200);
    expect((await fetch(`${admin}/readyz`)).status).toBe(503);
    expect((await fetch(`${admin}/v1/status`)).status).toBe(503);
    await postgres.restart();
    await expect.poll(async () => (await fetch(`${admin}/readyz`)).status, { timeout: 20_000 }).toBe(200);
    const status = await (await fetch(`${admin}/v1/status`)).json();
    expect(status).toMatchObject({
      region: 'eu',
      incarnation: 1,
      ready: true,
      peers: [],
      collections: ['products'],
    });
    expect(await (await fetch(`${admin}/metrics`)).text()).toContain(
      'isthmus_pool_connections{state="total"}',
    );
  }, 60_000);

  it('stays small while idle', async () => {
    const child = start(settings(postgres.url));
    const [admin = ''] = await addresses(child, ['admin listener is up', 'ready']);
    const metrics = await (await fetch(`${admin}/metrics`)).text();
    const resident = Number(/^isthmus_process_resident_memory_bytes ([0-9.e+]+)$/m.exec(metrics)?.[1]);
    expect(resident).toBeLessThan(150e6);
  }, 60_000);

  it('ends on SIGTERM in order and loses no acknowledged write', async () => {
    const child = start(settings(postgres.url));
    const [api = ''] = await addresses(child, ['public listener is up', 'ready']);
    let acknowledged = 0;
    let enough = () => {};
    const warm = new Promise<void>((resolve) => {
      enough = resolve;
    });
    const writer = async () => {
      for (;;) {
        const status = await patch(api, 'counted');
        if (status !== 200 && status !== 201) return status;
        if (++acknowledged === 300) enough();
      }
    };
    const writers = Array.from({ length: 20 }, writer);
    await warm;
    const startedMs = performance.now();
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(8000);
    const ends = await Promise.all(writers);
    const unanswered = ends.filter((status) => status !== 503 && status !== 'refused');
    expect(unanswered, 'every caller got an answer').toEqual([]);
    const next = start(settings(postgres.url));
    const [again = ''] = await addresses(next, ['public listener is up']);
    const record = await (await fetch(`${again}/v1/collections/products/records/counted`)).json();
    expect(record).toMatchObject({ value: { likes: acknowledged } });
  }, 60_000);

  it('says of writes that were not begun that they were not made, where the database is silent at the end', async () => {
    const child = start(settings(postgres.url));
    const [api = ''] = await addresses(child, ['public listener is up', 'ready']);
    expect(await patch(api, 'silent')).toBeLessThan(300);
    await postgres.kill('SIGSTOP');
    try {
      const body = JSON.stringify({ increment: { likes: 1 } });
      const writes = Array.from({ length: 10 }, () => arriving(api, 'silent', { method: 'PATCH', body }));
      await Promise.all(writes.map(({ received }) => received));
      child.kill('SIGTERM');
      const answers = await Promise.all(writes.map(({ answer }) => answer));
      const cut = answers.filter(([status]) => status !== 503);
      expect(cut.length, 'one was sent to the database').toBeLessThanOrEqual(1);
      await once(child, 'exit');
    } finally {
      await postgres.kill('SIGCONT');
    }
  }, 60_000);

  it('answers who waits for a session where it is stopped meanwhile, and writes nothing for them', async () => {
    const child = start(settings(postgres.url));
    const [api = ''] = await addresses(child, ['public listener is up', 'ready']);
    const issuer = { region: us, incarnation: { counter: 1, nonce: 1 } };
    const session = { issuer, vector: [{ ...issuer, partition: 0, lsn: 1n }], ahead: [] };
    const { received, answer } = arriving(api, 'waited', {
      method: 'PUT',
      headers: { 'isthmus-session': encodeSession(session, Buffer.alloc(0)), 'isthmus-wait': '10000' },
      body: '{"value":{"title":"x"}}',
    });
    await received;
    child.kill('SIGTERM');
    expect(await answer).toMatchObject([503, { code: 'session-not-reached' }]);
    expect(await once(child, 'exit')).toEqual([0, null]);
  }, 60_000);

  it("refuses another region's database for good", async () => {
    const ended = await finish({ ...settings(postgres.url), ISTHMUS_REGION: 'us' });
    expect(ended.code).toBe(1);
    expect(ended.out).toContain('identity-mismatch');
  }, 60_000);
});
