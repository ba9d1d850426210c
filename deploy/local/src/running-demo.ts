/**
 * Lets the other commands find the demo that runs on this machine.
 * A running demo keeps one small file with its addresses in the user's cache folder, readable by its
 * owner alone, for it holds a database password. It goes when the demo ends, however that ends. A file
 * whose process is gone is not believed, nor one whose number has come to another process: a machine that lost its
 * power, or a container that was started anew, keeps the file and gives the number again.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { cacheFolder } from './cache-folder.ts';
import { systemCode } from './errors.ts';
import { reapFolder } from './reaper.ts';
import { isAlive } from './server-child.ts';

const addresses = z.object({
  region: z.string(),
  api: z.string(),
  admin: z.string(),
  console: z.string(),
  database: z.string(),
  brokers: z.string(),
});

const runningDemo = z.object({
  pid: z.number().int().positive(),
  startedAtMs: z.number(),
  regions: z.array(addresses),
  control: z.string(),
});

/** As the file holds it. */
const announcement = z.object({ demo: runningDemo, begin: z.string() });

export type RegionAddresses = z.infer<typeof addresses>;
export type RunningDemo = z.infer<typeof runningDemo>;

function folder(): string {
  return join(cacheFolder(), 'demos');
}

/** Makes the demo known; call the result when it ends. */
export async function announceDemo(demo: RunningDemo): Promise<() => Promise<void>> {
  await mkdir(folder(), { recursive: true, mode: 0o700 });
  const path = join(folder(), `${demo.pid}.json`);
  const forget = reapFolder(path);
  await writeFile(path, JSON.stringify({ demo, begin: await beginOf(demo.pid) }), { mode: 0o600 });
  return async () => {
    await rm(path, { force: true });
    forget();
  };
}

/** Every demo that still runs, the newest first. */
export async function findRunningDemos(): Promise<readonly RunningDemo[]> {
  const names = await readdir(folder()).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  const demos = await Promise.all(names.map((name) => readDemo(join(folder(), name))));
  const running = demos.filter((demo) => demo !== undefined).filter(({ pid }) => isAlive(pid));
  return running.toSorted((a, b) => b.startedAtMs - a.startedAtMs);
}

/** What no two processes of a number have in common; empty where the machine does not say. */
async function beginOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const machine = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  // The name in brackets may hold anything; the twentieth field after it tells when the process began.
  const began = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return began === undefined ? '' : `${machine.trim()} ${began}`;
}

/** Undefined where the file is gone by now, is half written, or is of another process. */
async function readDemo(path: string): Promise<RunningDemo | undefined> {
  try {
    const { data } = announcement.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return data !== undefined && data.begin === (await beginOf(data.demo.pid)) ? data.demo : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
