import { mkdir, mkdtemp, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { makeLibraryLinks } from './postgres-binaries.ts';

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
