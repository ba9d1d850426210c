import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { announceDemo, findRunningDemos, type RunningDemo } from './running-demo.ts';

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'isthmus-announce-'));
  vi.stubEnv('XDG_CACHE_HOME', base);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true, force: true });
});

function demo(pid: number, startedAtMs: number): RunningDemo {
  return { pid, startedAtMs, regions: [], control: `http://127.0.0.1:${pid}` };
}

it('finds a demo from its announcement to its end, and keeps the file to its owner', async () => {
  expect(await findRunningDemos()).toEqual([]);
  const withdraw = await announceDemo(demo(process.pid, 1));
  expect(await findRunningDemos()).toEqual([demo(process.pid, 1)]);
  const { mode } = await stat(join(base, 'isthmus/demos', `${process.pid}.json`));
  expect(mode & 0o777).toBe(0o600);
  await withdraw();
  expect(await findRunningDemos()).toEqual([]);
  expect(await readdir(join(base, 'isthmus/demos'))).toEqual([]);
});

it('believes no demo whose process is gone and no file that is broken, and tells all others, the newest first', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '']);
  const withdrawals = [
    await announceDemo(demo(pid, 9)),
    await announceDemo(demo(process.ppid, 1)),
    await announceDemo(demo(process.pid, 2)),
  ];
  await writeFile(join(base, 'isthmus/demos/1.json'), '{"pid":');
  expect(await findRunningDemos()).toEqual([demo(process.pid, 2), demo(process.ppid, 1)]);
  await Promise.all(withdrawals.map((withdraw) => withdraw()));
});

it.runIf(process.platform === 'linux')(
  'believes no demo whose number has come to another process',
  async () => {
    const withdraw = await announceDemo(demo(process.pid, 1));
    const folder = join(base, 'isthmus/demos');
    // Another process had the number before.
    const left = await readFile(join(folder, `${process.pid}.json`), 'utf8');
    await writeFile(join(folder, 'left.json'), left.replaceAll(String(process.pid), String(process.ppid)));
    expect(await findRunningDemos()).toEqual([demo(process.pid, 1)]);
    await withdraw();
  },
);
