import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { cachedEntry, cacheFolder } from './cache-folder.ts';
import { LocalError } from './errors.ts';

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'isthmus-cache-test-'));
  vi.stubEnv('XDG_CACHE_HOME', base);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true, force: true });
});

it('builds an entry once for all who ask at the same time', async () => {
  let builds = 0;
  const build = async (folder: string): Promise<void> => {
    builds += 1;
    await writeFile(join(folder, 'file'), 'whole');
  };
  const places = await Promise.all([cachedEntry('thing', build), cachedEntry('thing', build)]);
  expect(places[0]).toBe(join(cacheFolder(), 'thing'));
  expect(places[1]).toBe(places[0]);
  await cachedEntry('thing', build);
  expect(builds).toBe(1);
  expect(await readdir(cacheFolder())).toEqual(['thing']);
});

it('leaves nothing of a build that failed, and builds again', async () => {
  const failure = new LocalError('disk-full', 'full', { remedy: 'free some' });
  const failing = cachedEntry('thing', async (folder) => {
    await writeFile(join(folder, 'file'), 'half');
    throw failure;
  });
  await expect(failing).rejects.toBe(failure);
  expect(await readdir(cacheFolder())).toEqual([]);
  const place = await cachedEntry('thing', (folder) => writeFile(join(folder, 'file'), 'whole'));
  expect(await readFile(join(place, 'file'), 'utf8')).toBe('whole');
});

it('gives several processes that build at once one whole entry', { timeout: 30_000 }, async () => {
  const module = new URL('../dist/cache-folder.js', import.meta.url).href;
  const program = `
    import { cachedEntry } from '${module}';
    import { writeFile, readdir } from 'node:fs/promises';
    const place = await cachedEntry('thing', async (folder) => {
      for (let part = 0; part < 20; part++) await writeFile(folder + '/' + part, String(process.pid));
    });
    console.log((await readdir(place)).length);
  `;
  const racers = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const outputs = await Promise.all(racers.map(({ stdout }) => text(stdout)));
  expect(outputs).toEqual(['20\n', '20\n', '20\n', '20\n']);
  expect(await readdir(cacheFolder())).toEqual(['thing']);
  const place = join(cacheFolder(), 'thing');
  const writers = await Promise.all(
    (await readdir(place)).map((name) => readFile(join(place, name), 'utf8')),
  );
  expect(new Set(writers).size).toBe(1);
});

it('says so when the cache folder cannot be made', async () => {
  await writeFile(join(base, 'isthmus'), 'a file is in the way');
  await expect(cachedEntry('thing', () => Promise.resolve())).rejects.toMatchObject({
    code: 'cache-unwritable',
    remedy: expect.stringContaining('XDG_CACHE_HOME'),
  });
});
