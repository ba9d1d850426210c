import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isFolder } from './cache-folder.ts';
import { type Postgres, startPostgres } from './postgres.ts';
import { isAlive } from './server-child.ts';

async function query(url: string, text: string): Promise<Record<string, unknown>> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(text);
    return rows[0] ?? {};
  } finally {
    await client.end();
  }
}

describe('a local Postgres', { timeout: 60_000 }, () => {
  let first: Postgres;
  let second: Postgres;

  beforeAll(async () => {
    [first, second] = await Promise.all([startPostgres(), startPostgres()]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([first?.stop(), second?.stop()]);
  });

  it('is durable, decodes logically and speaks UTF-8', async () => {
    const row = await query(
      first.url,
      `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS commit,
        current_setting('wal_level') AS wal, current_setting('server_encoding') AS encoding,
        current_setting('listen_addresses') AS listen, current_setting('server_version_num')::int / 10000 AS major`,
    );
    expect(row).toEqual({
      fsync: 'on',
      commit: 'on',
      wal: 'logical',
      encoding: 'UTF8',
      listen: '127.0.0.1',
      major: 18,
    });
  });

  it('gives each cluster a system identifier of its own', async () => {
    const text = 'SELECT system_identifier::text AS id FROM pg_control_system()';
    const ids = await Promise.all([query(first.url, text), query(second.url, text)]);
    expect(ids[0]?.['id']).not.toBe(ids[1]?.['id']);
  });

  it('refuses a wrong password', async () => {
    const url = new URL(first.url);
    url.password = 'wrong';
    await expect(query(url.href, 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
  });

  it('keeps committed rows and its address across SIGKILL and restart', async () => {
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    const { url, port } = first;
    const killed = first.pid();
    await first.kill('SIGKILL');
    expect(first.isRunning()).toBe(false);
    expect(isAlive(killed)).toBe(false);
    await first.restart();
    expect([first.url, first.port]).toEqual([url, port]);
    expect(await query(first.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
  });

  it('kills the backends together with the server', async () => {
    const client = new Client({ connectionString: second.url });
    await client.connect();
    // That the server closes and that the connection breaks may be told one after the other.
    const ended = new Promise((resolve) => client.on('error', resolve));
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const backend = rows[0]?.pid ?? 0;
    expect(isAlive(backend)).toBe(true);
    const pending = client.query('SELECT count(*) FROM generate_series(1, 1e10)').catch(() => 'broken');
    await second.kill('SIGKILL');
    expect(await pending).toBe('broken');
    await ended;
    const state = await readFile(`/proc/${backend}/stat`, 'utf8').catch(() => ') Z');
    expect(state).toMatch(/\) [ZX]/);
    await second.restart();
  });

  it('stands still between SIGSTOP and SIGCONT, also for open connections', async () => {
    const client = new Client({ connectionString: second.url });
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await second.kill('SIGSTOP');
    let answered = false;
    const answer = client.query('SELECT 1').finally(() => {
      answered = true;
    });
    // The backend stands, so nothing answers, however long somebody waits.
    for (const pid of [second.pid(), rows[0]?.pid ?? 0])
      expect(await readFile(`/proc/${pid}/stat`, 'utf8')).toMatch(/\) [Tt]/);
    expect(answered).toBe(false);
    await second.kill('SIGCONT');
    await answer;
    await client.end();
  });

  it('leaves no process and no folder when it stops, running, stopped or killed', async () => {
    for (const signal of [undefined, 'SIGSTOP', 'SIGKILL'] as const) {
      const server = await startPostgres();
      const folder = dirname(server.logFile);
      const pid = server.pid();
      if (signal !== undefined) await server.kill(signal);
      await server.stop();
      expect(isAlive(pid)).toBe(false);
      expect(await isFolder(folder)).toBe(false);
    }
  });
});

describe('a Postgres in a folder to keep', { timeout: 60_000 }, () => {
  it.runIf(process.getuid?.() === 0)('says so where its user cannot enter the folder', async () => {
    const base = await mkdtemp(join(tmpdir(), 'isthmus-keep-'));
    try {
      await chmod(base, 0o700);
      await expect(startPostgres({ keepIn: join(base, 'pg') })).rejects.toMatchObject({
        code: 'folder-unreachable',
      });
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  });

  it('goes on with its data after a stop', async () => {
    const base = await mkdtemp(join(tmpdir(), 'isthmus-keep-'));
    try {
      await chmod(base, 0o755);
      const before = await startPostgres({ keepIn: join(base, 'pg') });
      await query(before.url, 'CREATE TABLE kept AS SELECT 7 AS answer');
      await before.stop();
      const after = await startPostgres({ keepIn: join(base, 'pg') });
      expect(await query(after.url, 'SELECT answer FROM kept')).toEqual({ answer: 7 });
      await after.stop();
    } finally {
      await rm(base, { recursive: true, force: true });
    }
  });
});
