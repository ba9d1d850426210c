import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const deadlineMs = 5_000;

/** A program that starts servers with the built module and prints what it started. */
const ownerProgram = `
import { startPostgres } from '${new URL('../dist/postgres.js', import.meta.url).href}';
const servers = await Promise.all([startPostgres(), startPostgres()]);
await servers[1].kill('SIGSTOP');
console.log(JSON.stringify(servers.map(({ logFile, pid }) => ({ logFile, pid: pid() }))));
setInterval(() => {}, 1000);
`;

const startedServers = z.array(z.object({ logFile: z.string(), pid: z.number() }));
type Started = z.infer<typeof startedServers>[number];

async function until(what: string, condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + deadlineMs;
  while (!(await condition())) {
    expect(Date.now(), `${what} within ${deadlineMs} ms`).toBeLessThan(deadline);
    await delay(20);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function runs(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z');
  return !/\) [ZX]/.test(state);
}

async function children(pid: number): Promise<readonly number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim().split(' ').map(Number);
}

async function sharedSegment(server: Started): Promise<string> {
  const pidFile = server.logFile.replace('postgres.log', 'data/postmaster.pid');
  const line = (await readFile(pidFile, 'utf8')).split('\n')[6] ?? '';
  return line.trim().split(/\s+/)[1] ?? '';
}

async function segments(): Promise<readonly string[]> {
  const lines = (await readFile('/proc/sysvipc/shm', 'utf8')).trim().split('\n').slice(1);
  return lines.map((line) => line.trim().split(/\s+/)[1] ?? '');
}

describe.skipIf(process.platform !== 'linux')('the reaper', { timeout: 60_000 }, () => {
  it('kills servers and removes folders after SIGKILL of their owner', async () => {
    const owner = spawn(process.execPath, ['--input-type=module', '-e', ownerProgram], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(owner.stdout), 'line');
    const servers = startedServers.parse(JSON.parse(String(line)));
    const backends = (await Promise.all(servers.map(({ pid }) => children(pid)))).flat();
    const shared = await Promise.all(servers.map(sharedSegment));
    expect(backends.length).toBeGreaterThan(4);
    expect(await segments()).toEqual(expect.arrayContaining(shared));

    owner.kill('SIGKILL');
    await once(owner, 'exit');

    for (const pid of [...servers.map((server) => server.pid), ...backends]) {
      await until(`process ${pid} is gone`, async () => !(await runs(pid)));
    }
    for (const { logFile } of servers) {
      const folder = logFile.replace('/postgres.log', '');
      await until(`${folder} is gone`, async () => !(await exists(folder)));
    }
    expect((await segments()).filter((segment) => shared.includes(segment))).toEqual([]);
  });
});
