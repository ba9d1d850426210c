/**
 * The region's program in one file, packed once for what it is built from, beside that: loading it takes half of the
 * processor time that a thousand modules take, and a region that was killed is back so much sooner. Only this repository's
 * own code and what it imports by name are in it; what asks where it lies is told where it lay before.
 */
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Plugin } from 'rolldown';
import { systemCode } from './errors.ts';

const here = fileURLToPath(new URL('../../..', import.meta.url));
/** In it the program is built. */
const home = 'services/region/dist';
const built = [home, 'replication/dist', 'conflict/dist'];
/** As the compiler made it. */
export const plainProgram = plainIn(here);

function plainIn(root: string): string {
  return join(root, home, 'main.js');
}

const packedName = /^packed-[0-9a-f]{16}\.js$/;
/** Some of its modules are loaded by their paths, and there must not be two of it. */
const apart = 'kafkajs';

let packing: Promise<string> | null = null;

/** Its path. The plain program where nothing can be written. */
export function regionProgram(): Promise<string> {
  packing ??= packedProgram(here).catch((error: unknown) => {
    packing = null;
    throw error;
  });
  return packing;
}

/** Of what is built in this repository. */
export async function packedProgram(root: string): Promise<string> {
  const folder = join(root, home);
  const name = `packed-${await keyOfBuild(root)}.js`;
  const known = (await readdir(folder)).filter((each) => packedName.test(each));
  const path = join(folder, name);
  if (known.includes(name)) return path;
  const draft = join(folder, `packed-${randomUUID()}.draft`);
  try {
    await writeFile(draft, await pack(plainIn(root)));
    await rename(draft, path);
  } catch (error) {
    if (systemCode(error) !== 'EACCES' && systemCode(error) !== 'EROFS') throw error;
    return plainIn(root);
  }
  // Whoever runs one of them has loaded it whole.
  for (const old of known) await rm(join(folder, old), { force: true });
  return path;
}

/** Of everything that is packed. */
async function keyOfBuild(root: string): Promise<string> {
  const hash = createHash('sha256').update(root);
  for (const path of ['package-lock.json', ...(await builtFiles(root))])
    hash.update(`\n${path}\n`).update(await readFile(join(root, path)));
  return hash.digest('hex').slice(0, 16);
}

async function builtFiles(root: string): Promise<readonly string[]> {
  const all = await Promise.all(
    built.map(async (each) => {
      const names = await readdir(join(root, each), { recursive: true });
      return names.map((name) => join(each, name));
    }),
  );
  const files = all.flat().filter((path) => path.endsWith('.js') && !packedName.test(basename(path)));
  return files.toSorted();
}

async function pack(program: string): Promise<string> {
  // Loaded where it is needed, because it is large.
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({ input: program, platform: 'node', logLevel: 'warn', plugins: [places] });
  try {
    const { output } = await bundle.generate({ format: 'esm', codeSplitting: false });
    return output[0].code;
  } finally {
    await bundle.close();
  }
}

const places: Plugin = {
  name: 'places',
  resolveId: (id, importer) => {
    if (id !== apart || importer === undefined) return null;
    return { id: pathToFileURL(createRequire(importer).resolve(id)).href, external: true };
  },
  transform: (code, id) => {
    if (!code.includes('import.meta.url')) return null;
    return code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(id).href));
  },
};
